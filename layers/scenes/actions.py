"""Writes of scenes: made, described, placed, their files taken in, published, withdrawn, taken back to an earlier version."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pghistory
import shapely
from django.contrib.gis.geos import GEOSGeometry, Polygon
from django.db import transaction
from django.utils import timezone

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, CityError, Conflict, Forbidden, TooLarge
from geo.geometry import parse_geojson
from geo.jobs.actions import start_job
from geo.kept import keep_file, plain_copy
from geo.scope import Scope
from layers.scenes.holding import upload_of, whole_of
from layers.scenes.models import (
    Audience,
    Described,
    PackageState,
    Scene,
    SceneFile,
    SceneKind,
    ScenePackage,
    SceneState,
    SceneVersion,
)
from layers.scenes.queries import (
    EDIT,
    check_edit,
    check_position,
    footprint_of,
    is_reading,
    middle_of,
    placed_of,
    positioned,
    regions_to_own,
    scenes_visible,
)
from layers.scenes.reading import MOST_UPLOAD, SECONDS, Package, check_name, read_apart

READ_JOB: Final = "scenes.read"
AT_ONCE_BYTES: Final = 3_000_000
"""A larger upload is read aside, with progress."""
AT_ONCE_S: Final = 60.0
"""Somebody waits for a smaller one: what takes longer is refused."""
LONGEST_TITLE: Final = 60
LONGEST_SOURCE: Final = 200
ZOOMS: Final = (13, 19)
HIGHEST_M: Final = 5_000.0
SCALES: Final = (0.001, 1_000.0)
MOST_FOOTPRINT: Final = 500
KEY_LIKE: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,39}")
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_DESCRIBED: Final = (
    "title", "source", "as_of", "audience", "twin", "min_zoom", "package", "lon", "lat", "height_m", "heading_deg", "scale",
    "footprint",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """What every act comes with: the key of the scene, the revision that was seen, and who acts."""

    key: str
    seen: int
    scope: Scope


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a scene, as it was typed."""

    title: str
    source: str = ""
    as_of: dt.date | None = None
    audience: str = Audience.EVERYONE
    twin: bool = False
    min_zoom: int = 16


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a scene stands, as ``models.Described`` says it; ``footprint`` is GeoJSON, '' for the outline of the model."""

    lon: float | None = None
    lat: float | None = None
    height_m: float = 0.0
    heading_deg: float = 0.0
    scale: float = 1.0
    footprint: str = ""


@transaction.atomic
def create_scene(*, uid: UUID, kind: str, region: str, words: Words, scope: Scope, key: str = "") -> Scene:
    """Make a scene without files that belongs to a region (code) of the scope. Sent twice, it is made once.

    Raises ``BadInput`` and ``Forbidden``.
    """
    done = Scene.objects.filter(uid=uid, made_by=scope.actor).first()
    if done is not None:
        return done
    owner = next((one for one in regions_to_own(scope=scope) if one.code == region), None)
    if owner is None or not scope.holds(EDIT):
        raise Forbidden("scene_region", "请选您管理的区域。")
    if kind not in SceneKind.values:
        raise BadInput("scene_kind", "请选是模型集还是单体模型。", fields={"kind": "请选一种。"})
    named = key or "s-" + "".join(secrets.choice(_LETTERS) for _ in range(8))
    if not KEY_LIKE.fullmatch(named):
        raise BadInput("scene_key", "代号用小写字母、数字和短横，3 到 40 个。", fields={"key": "请换一个代号。"})
    now = timezone.now()
    return Scene.objects.create(
        uid=uid, key=named, kind=kind, region_id=owner.region_id, path=owner.path, said="新建", made_by=scope.actor,
        changed_by=scope.actor, changed_at=now, **_checked(words),
    )  # fmt: skip


@transaction.atomic
def describe(sent: Sent, words: Words) -> Scene:
    """Say what a scene is called, where it comes from and how it is offered. Raises ``BadInput``, ``Conflict``."""
    scene, wanted = _writable(sent), _checked(words)
    return _set(scene, sent, wanted, "改了说明")


@transaction.atomic
def place(sent: Sent, standing: Standing) -> Scene:
    """Say where a scene stands. Raises ``BadInput`` for a place outside the city or its region, ``Conflict``."""
    scene = _writable(sent)
    if positioned(scene):
        wanted: dict[str, Any] = {"height_m": standing.height_m}
    else:
        if standing.lon is None or standing.lat is None:
            raise BadInput(
                "scene_place", "请写地址，或写经度和纬度，也可以在地图上点。", fields={"where": "请写位置。"}
            )
        check_position(standing.lon, standing.lat, path=scene.path, scope=sent.scope)
        wanted = {
            "lon": round(standing.lon, 8), "lat": round(standing.lat, 8), "height_m": standing.height_m,
            "heading_deg": standing.heading_deg % 360, "scale": standing.scale,
        }  # fmt: skip
    if not abs(standing.height_m) <= HIGHEST_M:
        raise BadInput("scene_height", "高度在正负 5000 米之间。", fields={"height_m": "请改小。"})
    if not SCALES[0] <= standing.scale <= SCALES[1]:
        raise BadInput("scene_scale", "比例在 0.001 到 1000 之间；模型的单位是米时是 1。", fields={"scale": "请核对。"})
    wanted["footprint"] = _footprint(standing.footprint)
    return _set(scene, sent, wanted, "改了位置")


def take_upload(sent: Sent, *, uid: UUID, source: Path, name: str) -> ScenePackage:
    """Keep an upload for a scene and read it, aside where it is large; what can be used becomes its files.

    Sent twice, it is taken once. Raises ``BadInput`` for an ending that is not read, ``TooLarge``, ``Conflict``.
    """
    check_name(name)
    size = source.stat().st_size
    if size > MOST_UPLOAD:
        raise TooLarge("file_too_large", f"文件超过 {MOST_UPLOAD // 1_000_000} MB，请按街镇或街坊分成几个再传。")
    with transaction.atomic():
        scene = _writable(sent)
        done = ScenePackage.objects.filter(uid=uid, scene=scene).first()
        if done is not None:
            return done
        for waiting in ScenePackage.objects.filter(scene=scene, state=PackageState.READING):
            if is_reading(waiting):
                raise Conflict("scene_busy", "上一个文件正在核对，请等它完成再传。")
            _refuse(waiting, "没有核对完就停了，请重新上传。")
        _check_seen(scene, sent)
        package = ScenePackage.objects.create(
            uid=uid, scene=scene, name=name[-200:], bytes=size, made_by=sent.scope.actor
        )
        keep_file(source, upload_of(package))
        if size > AT_ONCE_BYTES:
            params = {"package": package.pk, "account": sent.scope.actor}
            package.job = start_job(kind=READ_JOB, params=params, actor=sent.scope.actor).pk
            package.save(update_fields=["job"])
            return package
    return read_package(package.pk, scope=sent.scope, seconds=AT_ONCE_S)


def read_package(pk: int, *, scope: Scope, seconds: float = SECONDS) -> ScenePackage:
    """Read an upload, keep what it needs, and make it the files of its scene; what is wrong with it stands in ``error``."""
    package = ScenePackage.objects.select_related("scene").get(pk=pk)
    if package.state != PackageState.READING:
        return package
    try:
        with tempfile.TemporaryDirectory(prefix="quantu-scene-") as folder:
            whole = Path(folder) / "whole"
            with plain_copy(upload_of(package)) as source:
                read = read_apart(source, name=package.name, kind=package.scene.kind, whole=whole, seconds=seconds)
            if read.extent.geographic:
                lon, lat = shapely.get_coordinates(shapely.centroid(read.extent.outline))[0]
                check_position(float(lon), float(lat), path=package.scene.path, scope=scope)
            keep_file(whole, whole_of(package))
    except CityError as fault:
        _refuse(package, fault.message)
    else:
        _take_in(package, read, scope)
        upload_of(package).unlink(missing_ok=True)
    return package


def _refuse(package: ScenePackage, why: str) -> None:
    package.state, package.error, package.idle_since = PackageState.FAILED, why[:400], timezone.now()
    package.save()
    for path in (upload_of(package), whole_of(package)):
        path.unlink(missing_ok=True)


@transaction.atomic
def _take_in(package: ScenePackage, read: Package, scope: Scope) -> None:
    scene = Scene.objects.select_for_update().get(pk=package.scene_id)
    package.state, package.digest, package.bytes, package.report = (
        PackageState.READY,
        read.digest,
        read.bytes,
        read.report,
    )
    package.save()
    SceneFile.objects.bulk_create(
        [
            SceneFile(package=package, path=one.path, media=one.media, offset=one.offset, bytes=one.bytes)
            for one in read.pieces
        ],
        batch_size=2_000,
    )
    was_positioned = positioned(scene)
    _leave(scene)
    scene.package = package
    if read.extent.geographic and not was_positioned:
        scene.height_m = round(-read.extent.low, 2)
    elif was_positioned and not read.extent.geographic:
        scene.height_m = 0.0
    _save(scene, scope, f"换成文件“{package.name[:60]}”")


@transaction.atomic
def publish(sent: Sent, *, uid: UUID, note: str = "") -> SceneVersion:
    """Publish a scene as it was ``seen``, as a version that never changes. Sent twice, it is done once.

    Raises ``BadInput`` with what is missing, ``Conflict``.
    """
    scene = _writable(sent)
    done = SceneVersion.objects.filter(uid=uid, scene=scene).first()
    if done is not None:
        return done
    _check_seen(scene, sent)
    if not scene.source:
        raise BadInput("scene_source", "请先写来源：谁、什么时候做的。用的人要看。", fields={"source": "请写来源。"})
    if scene.package is None or scene.package.state != PackageState.READY:
        raise BadInput("scene_files", "请先上传模型文件。")
    there = placed_of(scene)
    if there is None:
        raise BadInput("scene_place", "请先填位置。", fields={"where": "请写位置。"})
    check_position(*middle_of(there), path=scene.path, scope=sent.scope)
    west, south, east, north = there.box
    newest = SceneVersion.objects.filter(scene=scene).first()
    said = _described(scene) | {"footprint": _kept(footprint_of(scene, there))}
    version = SceneVersion.objects.create(
        scene=scene, uid=uid, number=newest.number + 1 if newest else 1, note=" ".join(note.split())[:200], west=west,
        south=south, east=east, north=north, lowest_m=there.heights[0], highest_m=there.heights[1],
        outline=_kept(there.outline), made_by=sent.scope.actor, **said,
    )  # fmt: skip
    ScenePackage.objects.filter(pk=scene.package.pk).update(idle_since=None)
    scene.shown, scene.state = version, SceneState.PUBLISHED
    _save(scene, sent.scope, f"发布了第 {version.number} 版")
    return version


@transaction.atomic
def withdraw(sent: Sent) -> Scene:
    """Let a scene be on no map any more; its versions are kept."""
    scene = _writable(sent)
    if scene.state == SceneState.WITHDRAWN:
        return scene
    _check_seen(scene, sent)
    if scene.shown is None:
        raise Conflict("scene_not_shown", "这个模型还没有发布，不用撤下。")
    scene.shown, scene.state = None, SceneState.WITHDRAWN
    return _save(scene, sent.scope, "撤下")


@transaction.atomic
def go_back(sent: Sent, *, number: int) -> Scene:
    """Publish an earlier version again, and set the scene to it. Raises ``BadInput`` for one that is not there, ``Conflict``."""
    scene = _writable(sent)
    version = SceneVersion.objects.filter(scene=scene, number=number).select_related("package").first()
    if version is None:
        raise BadInput("scene_version", "没有这个版本。请在版本列表里选。")
    if scene.shown_id == version.pk and scene.state == SceneState.PUBLISHED and not unpublished(scene):
        return scene
    _check_seen(scene, sent)
    _leave(scene)
    for name, value in _described(version).items():
        setattr(scene, name, value)
    scene.footprint = version.footprint if version.footprint != version.outline else None
    scene.shown, scene.state = version, SceneState.PUBLISHED
    return _save(scene, sent.scope, f"恢复到第 {number} 版")


def unpublished(scene: Scene) -> bool:
    """Say whether a scene was changed since what is shown of it was published."""
    version = scene.shown
    if version is None:
        return True
    plain = [name for name in _DESCRIBED if name not in ("footprint", "package")]
    if scene.package_id != version.package_id or any(getattr(scene, one) != getattr(version, one) for one in plain):
        return True
    return bool((scene.footprint or version.outline) != version.footprint)


def _leave(scene: Scene) -> None:
    """Mark the files of a draft that another takes the place of, unless a version shows them."""
    shown = SceneVersion.objects.filter(scene=scene, package__isnull=False).values("package")
    ScenePackage.objects.filter(pk__in=[scene.package_id or 0]).exclude(pk__in=shown).update(idle_since=timezone.now())


def _described(row: Described) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _DESCRIBED}


def _checked(words: Words) -> dict[str, Any]:
    title, source = " ".join(words.title.split()), " ".join(words.source.split())
    faults: dict[str, str] = {}
    if not 0 < len(title) <= LONGEST_TITLE:
        faults["title"] = f"请写名称，最多 {LONGEST_TITLE} 个字。"
    if len(source) > LONGEST_SOURCE:
        faults["source"] = f"最多 {LONGEST_SOURCE} 个字。"
    if words.as_of is not None and not dt.date(1990, 1, 1) <= words.as_of <= timezone.localdate():
        faults["as_of"] = "日期在 1990 年到今天之间。"
    if words.audience not in Audience.values:
        faults["audience"] = "请选谁能看。"
    if not ZOOMS[0] <= words.min_zoom <= ZOOMS[1]:
        faults["min_zoom"] = f"级别在 {ZOOMS[0]} 到 {ZOOMS[1]} 之间。"
    if faults:
        raise BadInput("scene_about", "有几项没有填对，请看标出来的地方。", fields=faults)
    return {
        "title": title, "source": source, "as_of": words.as_of, "audience": words.audience, "twin": words.twin,
        "min_zoom": words.min_zoom,
    }  # fmt: skip


def _footprint(text: str) -> Polygon | None:
    if not text.strip():
        return None
    shape = parse_geojson(text.strip())
    if shape.geom_type != "Polygon" or shape.is_empty or not shape.is_valid:
        said = "范围要是一个不自相交的面。"
        raise BadInput("scene_footprint", said, fields={"footprint": said})
    if shapely.get_num_coordinates(shape) > MOST_FOOTPRINT:
        said = f"范围最多 {MOST_FOOTPRINT} 个点，请画简单些。"
        raise BadInput("scene_footprint", said, fields={"footprint": said})
    return _kept(shape)


def _kept(shape: shapely.geometry.base.BaseGeometry) -> Polygon:
    geom = GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=CGCS2000)
    assert isinstance(geom, Polygon)
    return geom


def _writable(sent: Sent) -> Scene:
    scene = scenes_visible(scope=sent.scope).select_for_update().filter(key=sent.key).first()
    if scene is None:
        raise Forbidden("scene_duty", "您的账号不能改这个三维模型。请联系所属区域的管理员。")
    check_edit(scene, scope=sent.scope)
    return scene


def _check_seen(scene: Scene, sent: Sent) -> None:
    if scene.revision != sent.seen:
        raise Conflict(
            "scene_changed", f"您编辑期间，{scene.changed_by} 刚才{scene.said}。请核对下面现在的内容，再改一次。"
        )


def _set(scene: Scene, sent: Sent, wanted: dict[str, Any], said: str) -> Scene:
    """Change what differs; a form sent twice changes nothing the second time."""
    if all(getattr(scene, name) == value for name, value in wanted.items()):
        return scene
    _check_seen(scene, sent)
    for name, value in wanted.items():
        setattr(scene, name, value)
    return _save(scene, sent.scope, said)


def _save(scene: Scene, scope: Scope, said: str) -> Scene:
    scene.revision += 1
    scene.said, scene.changed_by, scene.changed_at = said[:200], scope.actor, timezone.now()
    with pghistory.context(actor=scope.actor):
        scene.save()
    return scene
