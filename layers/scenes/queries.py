"""Reads of scenes: what is shown to whom, one of its files, and at the desk all that a scope may set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from django.db.models import Q, QuerySet
from shapely.geometry.base import BaseGeometry

from geo.crs import AxisVerdict, Coordinates, System, detect_axes
from geo.errors import BadInput, Forbidden, NotFound
from geo.jobs.models import Job, JobState
from geo.regions.models import Level, RegionVersion
from geo.regions.queries import current_city, regions_at, versions_of
from geo.scope import Scope
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
from layers.scenes.placing import Extent, Placed, found, placed

VIEW: Final = "layers.view"
EDIT: Final = "layers.edit"
Box = tuple[float, float, float, float]


def scenes_in(box: Box | None = None, *, scope: Scope) -> list[SceneVersion]:
    """Return the published scenes that a scope may see and whose box touches one (west, south, east, north), by title."""
    rows = _visible(scope).select_related("scene", "package")
    if box is not None:
        west, south, east, north = box
        rows = rows.filter(west__lte=east, east__gte=west, south__lte=north, north__gte=south)
    return list(rows.order_by("title", "pk"))


def scene_shown(key: str, *, scope: Scope) -> SceneVersion:
    """Return the published version of one scene. Raises ``NotFound``, also for one this scope may not see."""
    version = _visible(scope).select_related("scene", "package").filter(scene__key=key).first()
    if version is None:
        raise NotFound("scene_unknown", "没有这个三维模型，或者它已经撤下。请回地图查看。")
    return version


def edition_of(versions: Sequence[SceneVersion]) -> str:
    """Return a word that changes when any of some scenes does."""
    said = "|".join(f"{one.scene_id}:{one.number}" for one in versions)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def file_shown(key: str, digest: str, path: str, *, scope: Scope) -> tuple[SceneFile, bool]:
    """Return a file of a package that a scope may see, and whether everybody may.

    Those who may set a scene see all its packages. Raises ``NotFound``.
    """
    package = (
        ScenePackage.objects.filter(scene__key=key, state=PackageState.READY, digest__startswith=digest)
        .select_related("scene").order_by("pk").first()
    )  # fmt: skip
    if package is None or len(digest) != len(package.short):
        raise _no_file()
    same = ScenePackage.objects.filter(scene=package.scene_id, digest=package.digest)
    shown = _visible(scope).filter(scene=package.scene_id, package__in=same).values_list("audience", flat=True).first()
    if shown is None and not scenes_visible(scope=scope).filter(pk=package.scene_id).exists():
        raise _no_file()
    file = SceneFile.objects.filter(package=package, path=path).select_related("package").first()
    if file is None:
        raise _no_file()
    return file, shown == Audience.EVERYONE


def scenes_visible(*, scope: Scope) -> QuerySet[Scene]:
    """Return the scenes that a scope may see at the desk: those of its regions, with the duty."""
    if not scope.holds(VIEW):
        return Scene.objects.none()
    return Scene.objects.filter(_under(scope))


def scene_seen(key: str, *, scope: Scope) -> Scene:
    """Return a scene at the desk. Raises ``NotFound``, also for one of other regions."""
    found = scenes_visible(scope=scope).select_related("package", "shown").filter(key=key).first()
    if found is None:
        raise NotFound("scene_unknown", "没有找到这个三维模型。请从列表进入。")
    return found


def may_edit(scene: Scene, *, scope: Scope) -> bool:
    """Say whether a scope may change a scene."""
    return scope.holds(EDIT) and scope.covers_path(scene.path)


def check_edit(scene: Scene, *, scope: Scope) -> None:
    """Raise ``Forbidden`` unless a scope may change a scene."""
    if not may_edit(scene, scope=scope):
        raise Forbidden("scene_duty", "您的账号不能改这个三维模型。请联系所属区域的管理员。")


def package_seen(pk: int, *, scope: Scope) -> ScenePackage:
    """Return a package of a scene at the desk. Raises ``NotFound``."""
    found = ScenePackage.objects.filter(pk=pk, scene__in=scenes_visible(scope=scope)).select_related("scene").first()
    if found is None:
        raise NotFound("scene_package_unknown", "没有找到这个文件。请从三维模型的页面进入。")
    return found


def regions_to_own(*, scope: Scope) -> list[RegionVersion]:
    """Return the regions that a new scene of this scope may belong to: the city, districts and streets, coarse first."""
    found = versions_of(scope=scope).filter(level__in=(Level.CITY, Level.DISTRICT, Level.STREET))
    return [one for one in found if scope.covers_path(one.path)]


def changes_of(scene: Scene, *, most: int = 30) -> list[Scene]:
    """Return a scene as it is and as it was before each change, newest first; each says what the act before it did."""
    return [scene, *scene.events.order_by("-pgh_id")[: most - 1]]


def is_reading(package: ScenePackage) -> bool:
    """Say whether a package is being read; one whose work failed or was stopped waits to be sent again."""
    if package.state != PackageState.READING:
        return False
    running = (JobState.QUEUED, JobState.RUNNING)
    return Job.objects.filter(pk__in=[package.job] if package.job else [], state__in=running).exists()


def extent_read(package: ScenePackage | None) -> Extent | None:
    """Return what the vertices of a package reach, none while there is nothing to place."""
    if package is None or package.state != PackageState.READY:
        return None
    return Extent.read(package.report["extent"])


def positioned(described: Described) -> bool:
    """Say whether the files say by themselves where they lie."""
    package = described.package
    return package is not None and package.state == PackageState.READY and bool(package.report["extent"]["geographic"])


def placed_of(described: Described) -> Placed | None:
    """Return where a scene lies as it is described, none while its files or its position are missing."""
    extent = extent_read(described.package)
    if extent is None:
        return None
    if extent.geographic:
        return found(extent, height_m=described.height_m)
    if described.lon is None or described.lat is None:
        return None
    return placed(
        extent, lon=described.lon, lat=described.lat, height_m=described.height_m, heading_deg=described.heading_deg,
        scale=described.scale,
    )  # fmt: skip


def footprint_of(described: Described, place: Placed) -> BaseGeometry:
    """Return the area in which no other buildings are drawn: as it was drawn, or the outline of the model."""
    return shapely.from_wkb(bytes(described.footprint.wkb)) if described.footprint else place.outline


def check_position(lon: float, lat: float, *, path: str, scope: Scope) -> None:
    """Raise ``BadInput`` with what to do for a position outside the city or outside a region (its path)."""
    city = current_city()
    there = Coordinates(np.array([lon]), np.array([lat]), System.CGCS2000)
    if detect_axes(there, city.bbox).verdict is AxisVerdict.SWAPPED:
        raise BadInput("scene_swapped", "经度和纬度像是填反了。请先写经度（约 121），再写纬度（约 31）。")
    chain = regions_at(lon, lat, scope=scope)
    if not chain:
        raise BadInput(
            "scene_outside", f"位置 {lon:.5f}, {lat:.5f} 不在{city.name}范围内。请核对坐标，或核对模型的坐标系。"
        )
    if not chain[-1].path.startswith(path):
        names = "".join(one.name for one in chain[1:3])
        raise BadInput("scene_elsewhere", f"位置在{names}，不在这个模型的所属区域。请核对位置，或由那里的管理员来做。")


def middle_of(place: Placed) -> tuple[float, float]:
    """Return the middle of what lies somewhere, in degrees."""
    west, south, east, north = place.box
    return (west + east) / 2, (south + north) / 2


def entry_of(kind: str) -> str:
    """Return the file that a viewer begins with."""
    return "tileset.json" if kind == SceneKind.TILESET else "model.glb"


def _visible(scope: Scope) -> QuerySet[SceneVersion]:
    shown = SceneVersion.objects.filter(shown_by__state=SceneState.PUBLISHED)
    for_all = Q(audience=Audience.EVERYONE)
    if not (scope.holds(VIEW) and scope.paths):
        return shown.filter(for_all)
    return shown.filter(for_all | _under(scope, "scene__"))


def _under(scope: Scope, prefix: str = "") -> Q:
    under = Q(pk__in=[])
    for path in scope.paths:
        under |= Q(**{f"{prefix}path__startswith": path})
    return under


def _no_file() -> NotFound:
    return NotFound("scene_file_unknown", "没有这个文件。请从地图重新打开。")
