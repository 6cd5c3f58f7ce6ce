"""Three-dimensional models at the desk: the list, a new one, its files, where it stands, its versions."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.addresses.geocode import geocode
from geo.crs import System, looks_like_point, parse_point
from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.geometry import feature, feature_collection, geojson
from geo.jobs.models import Job
from geo.regions.models import EditionState, RegionVersion
from geo.scope import Scope
from layers.scenes import actions
from layers.scenes.actions import ZOOMS, Sent, Standing, Words
from layers.scenes.models import Audience, Described, PackageState, Scene, SceneKind, ScenePackage, SceneState
from layers.scenes.queries import (
    EDIT,
    VIEW,
    changes_of,
    footprint_of,
    is_reading,
    may_edit,
    middle_of,
    placed_of,
    positioned,
    regions_to_own,
    scene_seen,
    scenes_visible,
)
from layers.scenes.reading import ENDINGS, MOST_UPLOAD
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.drawing_files import uploaded
from web.doors.common.typed import key_typed, number_typed, typed

A_PAGE: Final = 30
UPLOADS_SHOWN: Final = 8
NEAR_M: Final = 300.0
"""An address that is known no better is no place for a model."""


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the models of the caller's regions, by state and words."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    words, state = typed(request, "q")[:60].strip(), typed(request, "state")
    found = scenes_visible(scope=scope).select_related("package", "shown")
    if state in SceneState.values:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(title__icontains=words) | Q(key=words) | Q(source__icontains=words))
    page = Paginator(found, A_PAGE).get_page(typed(request, "page"))
    names = _region_names({one.region_id for one in page})
    lines = [{"one": one, "region": names.get(one.region_id, ""), "changed": actions.unpublished(one)} for one in page]
    context = {
        "page": page, "lines": lines, "q": words, "state": state, "states": [("", "全部"), *SceneState.choices],
        "may_make": scope.holds(EDIT),
    }  # fmt: skip
    return render(request, "desk/scenes/list.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Ask what a new model is called and belongs to; on POST make it and go to work."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            made = actions.create_scene(
                uid=key_typed(request), kind=typed(request, "kind"), region=typed(request, "region"),
                words=_words(request), scope=scope,
            )  # fmt: skip
            messages.success(request, f"已新建“{made.title}”。接着上传模型文件。")
            return redirect("desk-scene", made.key)
        except CityError as refused:
            fault = refused
    said = {name: typed(request, name) for name in ("title", "source", "as_of", "kind", "region")}
    context = _choices() | {
        "regions": regions_to_own(scope=scope), "kinds": SceneKind.choices, "key": typed(request, "key") or new_id(),
        "said": said | _offered(request, fresh=request.method == "GET"), "fault": fault, "faults": _faults(fault),
    }  # fmt: skip
    return render(request, "desk/scenes/new.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a model with all that is set of it; on POST change its words, place it, publish it, withdraw it or go back."""
    scope = scope_for(request)
    scene = scene_seen(key, scope=scope)
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "desk/scenes/progress.html", _progress(scene))
    if request.method == "GET":
        return _page(request, scene, scope)
    try:
        messages.success(request, _acted(request, Sent(key, number_typed(request, "seen"), scope)))
    except (Forbidden, NotFound):
        raise
    except CityError as fault:
        scene = scene_seen(key, scope=scope)
        return _page(request, scene, scope, fault=fault)
    return redirect("desk-scene", key)


@never_cache
@login_required
@require_POST
def files(request: HttpRequest, key: str) -> HttpResponse:
    """Take a file in for a model, and read it; a large one is read aside."""
    scope = scope_for(request)
    scene = scene_seen(key, scope=scope)
    sent = Sent(key, number_typed(request, "seen"), scope)
    try:
        with uploaded(request, most=MOST_UPLOAD) as (source, name):
            package = actions.take_upload(sent, uid=key_typed(request), source=source, name=name)
    except (Forbidden, NotFound):
        raise
    except CityError as fault:
        return _page(request, scene_seen(key, scope=scope), scope, fault=fault)
    if package.error:
        return _page(request, scene, scope, fault=BadInput("scene_refused", package.error))
    if not is_reading(package):
        messages.success(request, "文件核对过，可以用。请核对位置，再发布。")
    return redirect("desk-scene", key)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how models are made ready, uploaded, placed and published."""
    return render(request, "help/scenes.html", {"megabytes": MOST_UPLOAD // 1_000_000})


def _acted(request: HttpRequest, sent: Sent) -> str:
    act = typed(request, "act")
    if act == "about":
        actions.describe(sent, _words(request))
        return "已保存。发布以后公众才看到新的说明。"
    if act == "place":
        actions.place(sent, _standing(request))
        return "位置已保存。到“二三维”里看一看，再发布。"
    if act == "publish":
        version = actions.publish(sent, uid=key_typed(request), note=typed(request, "note"))
        return f"已发布第 {version.number} 版，马上可以在地图上看到。"
    if act == "withdraw":
        actions.withdraw(sent)
        return "已撤下，地图上不再有它。版本和文件都还在，可以恢复。"
    if act == "back":
        number = number_typed(request, "number")
        actions.go_back(sent, number=number)
        return f"已恢复到第 {number} 版，地图上现在是它。"
    raise BadInput("act_unknown", "没有这个操作。请刷新页面再试。")


def _words(request: HttpRequest) -> Words:
    text = typed(request, "as_of").strip()
    try:
        as_of = dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("as_of", "日期要写成 2026-09-01 的样子。", fields={"as_of": "请改日期。"}) from None
    return Words(
        typed(request, "title")[:200], typed(request, "source")[:400], as_of, typed(request, "audience", "everyone"),
        bool(typed(request, "twin")), number_typed(request, "min_zoom"),
    )  # fmt: skip


def _standing(request: HttpRequest) -> Standing:
    lon, lat = _where(typed(request, "where").strip()[:200])
    return Standing(
        lon, lat, _figure(request, "height_m", 0.0), _figure(request, "heading_deg", 0.0), _figure(request, "scale", 1.0),
        typed(request, "footprint")[:60_000],
    )  # fmt: skip


def _where(text: str) -> tuple[float | None, float | None]:
    """Return the position that a pair of numbers or an address means, none for nothing. Raises ``BadInput``."""
    if not text:
        return None, None
    if looks_like_point(text):
        try:
            point = parse_point(text, System.CGCS2000)
        except BadInput as fault:
            raise BadInput(fault.code, fault.message, fields={"where": fault.message}) from None
        return point.x, point.y
    best = next(iter(geocode(text, scope=Scope.public(), limit=1)), None)
    if best is None or best.uncertainty_m > NEAR_M:
        said = "按这个地址没有找到足够准确的位置。请补充门牌，或写经度和纬度。"
        raise BadInput("scene_address", said, fields={"where": said})
    return round(best.lon, 7), round(best.lat, 7)


def _figure(request: HttpRequest, name: str, default: float) -> float:
    text = typed(request, name).strip().replace("，", ".")[:24]
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput("scene_figure", "要写数字。", fields={name: "要写数字，例如 12.5。"})
    return value


def _page(request: HttpRequest, scene: Scene, scope: Scope, *, fault: CityError | None = None) -> HttpResponse:
    act = typed(request, "act") if fault else ""
    place = placed_of(scene)
    said = _said(scene)
    if act == "about":
        said |= {name: typed(request, name) for name in ("title", "source", "as_of")} | _offered(request)
    elif act == "place":
        said |= {name: typed(request, name) for name in ("where", "height_m", "heading_deg", "scale", "footprint")}
    context = _choices() | map_context() | _progress(scene) | {
        "scene": scene, "region": _region_names({scene.region_id}).get(scene.region_id, ""), "said": said,
        "may_edit": may_edit(scene, scope=scope), "fault": fault, "faults": _faults(fault), "act": act, "key": new_id(),
        "positioned": positioned(scene), "place": place, "drawn": _drawn(scene), "endings": ",".join(ENDINGS),
        "middle": "{:.6f}, {:.6f}".format(*middle_of(place)) if place else "", "report": _report(scene.package),
        "changed": actions.unpublished(scene), "versions": scene.versions.select_related("package"),
        "uploads": ScenePackage.objects.filter(scene=scene)[:UPLOADS_SHOWN], "megabytes": MOST_UPLOAD // 1_000_000,
        "changes": [_change(one) for one in changes_of(scene)],
    }  # fmt: skip
    return render(request, "desk/scenes/one.html", context, status=status_of(fault) if fault else 200)


def _progress(scene: Scene) -> dict[str, Any]:
    package = ScenePackage.objects.filter(scene=scene).first()
    busy = package is not None and is_reading(package)
    job = Job.objects.filter(pk=package.job).first() if package and package.job else None
    return {"busy": busy, "job": job, "percent": round(100 * job.progress) if job else 0}


def _report(package: ScenePackage | None) -> dict[str, Any]:
    if package is None or package.state != PackageState.READY:
        return {}
    told = package.report
    return {
        "size": _size(package.bytes), "parts": told.get("parts", [])[:40],
        "tall": round(told["extent"]["high"] - told["extent"]["low"], 1),
        **{name: told.get(name, 0) for name in ("tiles", "triangles", "loose", "left_out")},
    }  # fmt: skip


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1_000))} KB"


def _said(scene: Described) -> dict[str, Any]:
    where = "" if scene.lon is None or scene.lat is None else f"{scene.lon:.7f}, {scene.lat:.7f}"
    footprint = orjson.dumps(orjson.loads(scene.footprint.geojson)).decode() if scene.footprint else ""
    return {
        "title": scene.title, "source": scene.source, "as_of": scene.as_of.isoformat() if scene.as_of else "",
        "audience": scene.audience, "twin": scene.twin, "min_zoom": scene.min_zoom, "where": where,
        "height_m": f"{scene.height_m:.10g}", "heading_deg": f"{scene.heading_deg:.10g}", "scale": f"{scene.scale:.10g}",
        "footprint": footprint,
    }  # fmt: skip


def _offered(request: HttpRequest, *, fresh: bool = False) -> dict[str, Any]:
    return {
        "audience": typed(request, "audience", "everyone"), "twin": bool(typed(request, "twin")),
        "min_zoom": 16 if fresh else number_typed(request, "min_zoom"),
    }  # fmt: skip


def _choices() -> dict[str, Any]:
    return {"audiences": Audience.choices, "zooms": ZOOMS}


def _drawn(scene: Scene) -> dict[str, Any]:
    """Return what the map shows: the outline of the model as it stands, and the area without other buildings where it differs."""
    place = placed_of(scene)
    if place is None:
        return feature_collection([])
    drawn = [feature(place.outline, {"state": "new", "said": scene.title}, System.CGCS2000)]
    if scene.footprint:
        drawn.append(
            {
                "type": "Feature",
                "geometry": geojson(footprint_of(scene, place), System.CGCS2000),
                "properties": {"state": "before", "said": "不画白模的范围"},
            }
        )
    return feature_collection(drawn)


def _change(row: Any) -> dict[str, Any]:
    return {"said": row.said, "by": row.changed_by, "at": row.changed_at}


def _faults(fault: CityError | None) -> dict[str, str]:
    found: dict[str, str] = fault.detail.get("fields", {}) if fault else {}
    return found


def _region_names(ids: set[int]) -> dict[int, str]:
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region__in=ids)
    return dict(rows.values_list("region_id", "name"))
