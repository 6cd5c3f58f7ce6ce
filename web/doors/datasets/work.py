"""One dataset at work: its features on the map and in a table, one of them in a form, and every act on the draft."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import shapely
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from shapely.geometry.base import BaseGeometry

from geo.addresses.geocode import geocode
from geo.crs import System
from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.geometry import feature, feature_collection, geometry_from_object, parse_bbox, parse_geojson, parse_wkt
from geo.regions.queries import current_city
from geo.scope import Scope
from layers.datasets import editing
from layers.datasets.actions import unpublished
from layers.datasets.attributes import DatasetAttribute, attributes_of, shown
from layers.datasets.editing import Sent, named
from layers.datasets.models import Dataset, DatasetAct, Feature
from layers.datasets.provider import draft_layer
from layers.datasets.queries import dataset_seen, features_found, may_edit, steps, version_at
from layers.datasets.revisions import held_now
from layers.datasets.shapes import SHAPE_LIMITS, noun_of
from layers.reading import read_page
from layers.registry import layers
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from tiles.schemes import WEB_MERCATOR_QUAD
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.maps.tiles import answer_tile

A_PAGE: Final = 50
COLUMNS: Final = 4
NEAR: Final = 600
VAGUE_M: Final = 300.0
TOOLS: Final = (
    ("choose", "选择", "mouse-pointer-2", "V"),
    ("draw", "画", "plus", "P"),
    ("edit", "改图形", "spline", "E"),
    ("snap", "吸附", "magnet", "S"),
    ("measure", "量距", "ruler", "R"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A feature as the table shows it."""

    number: int
    name: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A field of the form: what stands in it, what is wrong with it, and what it says now where somebody else changed that."""

    attribute: DatasetAttribute
    text: str
    fault: str
    now: str


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def work_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a dataset with one feature of it in the form; on POST do one act on the draft."""
    scope = scope_for(request)
    dataset = dataset_seen(key, scope=scope)
    if request.method == "GET":
        return _page(request, dataset, scope)
    name = typed(request, "act")
    try:
        if name not in _ACTS:
            raise BadInput("act_unknown", "没有这种操作，请刷新页面后再试。")
        act = _ACTS[name](Sent(key, number_typed(request, "seen"), key_typed(request), scope), request)
    except (Forbidden, NotFound) as fault:
        if not isinstance(fault, NotFound) or fault.code != "feature_unknown":
            raise
        return _page(request, dataset, scope, fault)
    except CityError as fault:
        return _page(request, dataset, scope, fault)
    return redirect(f"{reverse('desk-dataset', args=[key])}?{_after(request, act)}")


def _after(request: HttpRequest, act: DatasetAct | None) -> str:
    """Return the address after an act: the same page of the table, the feature that was at hand, what was done."""
    kept = {name: typed(request, name) for name in ("q", "page") if typed(request, name)}
    number = typed(request, "feature")
    if number and typed(request, "act") not in ("delete", "add"):
        kept["feature"] = number
    return urlencode({**kept, "done": act.pk if act else 0})


def _add(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    shape = _shape(request, sent)
    if shape is None:
        raise BadInput(
            "shape_missing", "还没有位置。请在地图上画，或填经纬度、地址。", fields={"place": "请先画好或填好位置。"}
        )
    return editing.add_feature(sent, shape=shape, said=_said(request), mend=bool(typed(request, "mend")))


def _change(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.change_feature(
        sent, number=number_typed(request, "feature"), shape=_shape(request, sent), said=_said(request),
        mend=bool(typed(request, "mend")),
    )  # fmt: skip


def _delete(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.delete_features(sent, numbers=[number_typed(request, "feature")])


def _delete_many(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.delete_features(sent, numbers=_picked(request))


def _change_many(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.change_many(
        sent, numbers=_picked(request), name=typed(request, "attribute"), value=typed(request, "value")
    )  # fmt: skip


def _undo(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.undo(sent, act_id=number_typed(request, "undoes"))


def _redo(sent: Sent, request: HttpRequest) -> DatasetAct | None:
    return editing.redo(sent, act_id=number_typed(request, "undoes"))


_ACTS: Final = {
    "add": _add, "change": _change, "delete": _delete, "delete_many": _delete_many, "change_many": _change_many,
    "undo": _undo, "redo": _redo,
}  # fmt: skip


def _picked(request: HttpRequest) -> list[int]:
    """Return the features that were ticked; with ``all`` those that the search finds."""
    if typed(request, "all"):
        dataset = dataset_seen(request.resolver_match.kwargs["key"], scope=scope_for(request))  # type: ignore[union-attr]
        found = features_found(dataset, typed(request, "q")).values_list("number", flat=True)
        return list(found[: editing.MOST_AT_ONCE + 1])
    return [
        int(each) for each in request.POST.getlist("pick") if each.isascii() and each.isdecimal() and len(each) < 10
    ]


def _said(request: HttpRequest) -> dict[str, str]:
    return {name[2:]: typed(request, name) for name in request.POST if name.startswith("a-")}


def _shape(request: HttpRequest, sent: Sent) -> BaseGeometry | None:
    """Return the shape that was drawn or typed (CGCS2000 degrees), ``None`` where the feature keeps its own."""
    drawn, text = typed(request, "shape").strip(), typed(request, "wkt").strip()
    lon, lat, address = (typed(request, name).strip() for name in ("lon", "lat", "address"))
    if drawn:
        return parse_geojson(drawn, System.CGCS2000, SHAPE_LIMITS)
    if text:
        return parse_wkt(text, System.CGCS2000, SHAPE_LIMITS)
    if lon or lat:
        return _typed_point(lon, lat)
    return _found(address, sent.scope) if address else None


def _typed_point(lon: str, lat: str) -> BaseGeometry:
    try:
        at = [float(lon[:20]), float(lat[:20])]
    except ValueError:
        raise BadInput(
            "place_numbers", "经度和纬度要填数字，例如 121.4737 和 31.2304。", fields={"place": "请填数字。"}
        ) from None
    return geometry_from_object({"type": "Point", "coordinates": at}, System.CGCS2000)


def _found(address: str, scope: Scope) -> BaseGeometry:
    best = next(iter(geocode(address, scope=scope, limit=1)), None)
    if best is None or best.uncertainty_m > VAGUE_M:
        raise BadInput(
            "place_unknown",
            "按地址没有找到足够准确的位置。请补充门牌，或填经纬度。",
            fields={"place": "没有找到这个地址。"},
        )
    return shapely.Point(best.lon, best.lat)


def _page(request: HttpRequest, dataset: Dataset, scope: Scope, fault: CityError | None = None) -> HttpResponse:
    dataset.refresh_from_db()
    attributes = attributes_of(dataset.attributes)
    chosen = _chosen(request, dataset)
    words = typed(request, "q")[:100]
    rows = Paginator(features_found(dataset, words), A_PAGE).get_page(typed(request, "page"))
    editable = may_edit(dataset, scope=scope)
    back, again = steps(dataset) if editable else (None, None)
    heads = [one.title for one in attributes[:COLUMNS]]
    name = named(dataset, chosen.number, chosen.properties).strip("“” ") if chosen else ""
    context = {
        "dataset": dataset, "attributes": attributes, "noun": noun_of(dataset.geometry), "may_edit": editable,
        "rows": rows, "lines": [_line(dataset, attributes, row) for row in rows], "heads": heads,
        "q": words, "chosen": chosen, "chosen_name": name,
        "fields": _fields(request, attributes, chosen, fault), "fault": fault,
        "mendable": bool(fault and fault.detail.get("mendable")), "place_fault": _field_fault(fault, "place"),
        "back": back, "again": again, "done": _done(request, dataset, back), "key": new_id(), "tools": TOOLS,
        "version": version_at(dataset), "unpublished": unpublished(dataset), "total": held_now(dataset).count(),
        "box": _box(dataset), "chosen_json": _island(chosen, request, fault), "typed": _place_typed(request, chosen),
        "adding": request.method == "POST" and typed(request, "act") == "add",
    } | map_context()  # fmt: skip
    return render(request, "desk/datasets/work.html", context, status=status_of(fault) if fault else 200)


def _chosen(request: HttpRequest, dataset: Dataset) -> Feature | None:
    number = number_typed(request, "feature")
    return held_now(dataset).filter(number=number).first() if 0 < number < 2**31 else None


def _line(dataset: Dataset, attributes: list[DatasetAttribute], row: Feature) -> Line:
    cells = [shown(one, row.properties.get(one.name)) for one in attributes[:COLUMNS]]
    return Line(row.number, named(dataset, row.number, row.properties).strip("“” "), cells)


def _fields(
    request: HttpRequest, attributes: list[DatasetAttribute], chosen: Feature | None, fault: CityError | None
) -> list[FieldShown]:
    """Return the form: what was typed where that was refused, else what the feature says."""
    kept = request.method == "POST" and fault is not None and typed(request, "act") in ("add", "change")
    found = []
    for one in attributes:
        own = _typable(one, chosen.properties.get(one.name)) if chosen else ""
        text = typed(request, f"a-{one.name}") if kept else own
        now = own if kept and chosen and fault and fault.code == "feature_changed" and own != text else ""
        found.append(FieldShown(one, text, _field_fault(fault, one.name), now))
    return found


def _typable(attribute: DatasetAttribute, value: Any) -> str:
    said = shown(attribute, value)
    return said.replace(" ", "T") if attribute.kind == "moment" else said


def _field_fault(fault: CityError | None, name: str) -> str:
    fields: Mapping[str, str] = fault.detail.get("fields", {}) if fault else {}
    return fields.get(name, "")


def _done(request: HttpRequest, dataset: Dataset, back: DatasetAct | None) -> dict[str, Any] | None:
    """Return what was just done, and whether it can be taken back at once."""
    if request.method != "GET" or "done" not in request.GET:
        return None
    act = DatasetAct.objects.filter(dataset=dataset, pk=number_typed(request, "done")).first()
    return {"said": f"已保存：{act.said}。" if act else "没有改动。", "undoes": act if act and act == back else None}


def _place_typed(request: HttpRequest, chosen: Feature | None) -> dict[str, str]:
    names = ("shape", "wkt", "lon", "lat", "address")
    if request.method == "POST":
        return {name: typed(request, name) for name in names}
    blank = dict.fromkeys(names, "")
    if chosen is None or chosen.geom.geom_type != "Point":
        return blank
    return blank | {"lon": f"{chosen.geom.x:.7f}", "lat": f"{chosen.geom.y:.7f}"}


def _island(chosen: Feature | None, request: HttpRequest, fault: CityError | None) -> dict[str, Any]:
    """Return the chosen feature for the map, drawn as it was sent where that was refused."""
    drawn = typed(request, "shape") if fault is not None else ""
    try:
        sent = orjson.loads(drawn) if drawn else None
    except orjson.JSONDecodeError:
        sent = None
    return {"number": chosen.number if chosen else 0, "geometry": sent or (_geometry(chosen) if chosen else None)}


def _geometry(row: Feature) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.geom.json)
    return found


def _box(dataset: Dataset) -> str:
    """Return the box of the draft, of the city where it is empty."""
    from django.contrib.gis.db.models import Extent

    found = held_now(dataset).aggregate(box=Extent("geom"))["box"]
    city = current_city().bbox
    return ",".join(f"{each:.6f}" for each in found or (city.west, city.south, city.east, city.north))


@never_cache
@login_required
@require_safe
def draft_tile(request: HttpRequest, key: str, revision: int, z: int, x: int, y: int) -> HttpResponse:
    """Return a tile of a draft for those who may see it at the desk; its address carries the revision."""
    dataset = dataset_seen(key, scope=scope_for(request))
    return answer_tile(request, [draft_layer(dataset)], WEB_MERCATOR_QUAD.tile(z, x, y), {})


@never_cache
@login_required
@require_safe
def near(request: HttpRequest, key: str) -> HttpResponse:
    """Return what a drawing snaps to within a box: features of the draft and roads."""
    scope = scope_for(request)
    dataset = dataset_seen(key, scope=scope)
    box = parse_bbox(typed(request, "bbox"), System.CGCS2000)
    within = (box.west, box.south, box.east, box.north)
    found: dict[str, Any] = {}
    for name, spec in (("draft", draft_layer(dataset)), ("roads", layers().get("roads"))):
        rows = read_page(spec, scope=scope, limit=NEAR, box=within, attributes=()).rows if spec else []
        found[name] = feature_collection(
            [feature(shapely.from_wkb(row.geometry), {"id": row.id}, System.CGCS2000) for row in rows if row.geometry]
        )
    return JsonResponse(found)


@never_cache
@login_required
@require_safe
def history_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show every act on a dataset: what, who, when; or those that a feature went through."""
    scope = scope_for(request)
    dataset = dataset_seen(key, scope=scope)
    acts, about = DatasetAct.objects.filter(dataset=dataset), None
    if number := number_typed(request, "feature"):
        revisions = Feature.objects.filter(dataset=dataset, number=min(number, 2**31 - 1)).values_list(
            "from_revision", "to_revision"
        )
        acts = acts.filter(revision__in={each for pair in revisions for each in pair if each})
        about = number
    page = Paginator(acts, A_PAGE).get_page(typed(request, "page"))
    return render(request, "desk/datasets/history.html", {"dataset": dataset, "page": page, "about": about})
