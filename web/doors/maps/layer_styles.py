"""How a layer is drawn, set at the desk: a form with the values' histogram, a preview with legend, versions; and as data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.scope import Scope
from layers.ogc.extents import opening_box
from layers.registry import layer as layer_named
from layers.spec import LayerSpec
from layers.styles.actions import restore_style, save_style
from layers.styles.classing import LEAST_CLASSES, METHODS, MOST_CLASSES, Spread, breaks_of
from layers.styles.legend import figure
from layers.styles.maplibre import style_layers
from layers.styles.palettes import PALETTES, THEMES
from layers.styles.queries import (
    DUTY,
    counts_of,
    legend_counted,
    may_style,
    spread_of,
    style_for,
    style_held,
    versions_of,
)
from layers.styles.spec import COLOURED, KINDS, MOST_DATA, NUMERIC, SHAPES, Style, StyleFaulty, read_style, usual_style
from layers.tiling import edition_of_all
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.facilities.kinds.icons import ICONS
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, number_typed, typed

BARS: Final = 32
WIDE: Final = 640
HIGH: Final = 120
USUAL_CLASSES: Final = 5
_FIELDS: Final = ("kind", "attribute", "method", "palette", "icon", "shape", "label", "unit")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the histogram, in its own px."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values are there, in bars of one width from the least value to the greatest; where the breaks stand."""

    bars: list[Bar]
    least: float
    most: float
    rows: int
    missing: int
    exact: bool

    @property
    def said(self) -> str:
        """Return in words what is counted."""
        words = f"{self.rows:,} 个值，从 {figure(self.least)} 到 {figure(self.most)}"
        words += f"，另有 {self.missing:,} 个没有数据" if self.missing else ""
        return words + ("。" if self.exact else "。值太多，按千分位统计。")


def histogram_of(spread: Spread) -> Histogram | None:
    """Return the histogram of some values, ``None`` where there are none or all are one."""
    if not spread.values or spread.least == spread.most:
        return None
    held, step = [0] * BARS, (spread.most - spread.least) / BARS
    for value, count in zip(spread.values, spread.counts, strict=True):
        held[min(BARS - 1, int((value - spread.least) / step))] += count
    # the square root lets rare values be seen beside frequent ones
    tallest = math.sqrt(max(held))
    width = WIDE / BARS
    bars = [
        Bar(round(at * width + 1, 1), round(HIGH - high, 1), round(width - 2, 1), round(high, 1))
        for at, count in enumerate(held)
        if count
        for high in [max(2.0, HIGH * math.sqrt(count) / tallest)]
    ]
    return Histogram(bars, spread.least, spread.most, spread.rows, spread.missing, spread.exact)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def style_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show how a layer is drawn and try another way; nothing holds before it is saved."""
    scope = scope_for(request)
    layer = layer_named(key, scope=scope)
    if not may_style(layer, scope):
        raise Forbidden("style_not_yours", "这个图层的样式由它所属的区或市级管理员设置。", duty=DUTY)
    held = style_held(layer)
    if request.method == "GET":
        return _show(request, layer, held.style.data(), scope)
    act, _, of = typed(request, "act", "preview").partition(":")
    try:
        if act == "restore":
            version = restore_style(
                layer=layer, number=int(of) if of.isdigit() else 0, seen=number_typed(request, "seen"),
                key=key_typed(request), scope=scope,
            )  # fmt: skip
        elif act == "import":
            return _show(
                request, layer, _imported(request, layer).data(), scope, said="读好了，还没有保存。看过预览再保存。"
            )
        else:
            data = _typed_data(request, layer, scope)
            if act != "save":
                return _show(request, layer, data, scope)
            version = save_style(
                layer=layer, data=data, seen=number_typed(request, "seen"), key=key_typed(request), scope=scope,
                note=typed(request, "note"), icons=set(ICONS),
            )  # fmt: skip
    except CityError as fault:
        data = held.style.data() if act in ("restore", "import") else _typed_data(request, layer, scope)
        return _show(request, layer, data, scope, fault=fault)
    messages.success(request, f"已保存第 {version.number} 版，地图马上按它画。")
    return redirect("desk-layer-style", key)


def _imported(request: HttpRequest, layer: LayerSpec) -> Style:
    """Return the style that pasted JSON says. Raises ``BadInput`` with every fault."""
    text = typed(request, "json")
    if len(text) > MOST_DATA:
        raise BadInput("style_too_long", "样式太长，请核对粘贴的内容。")
    try:
        return read_style(json.loads(text), layer, icons=set(ICONS))
    except (json.JSONDecodeError, RecursionError):
        raise BadInput("style_not_json", "粘贴的不是 JSON，请从“导出”里整段复制。") from None
    except StyleFaulty as faulty:
        faults = [{"part": one.part, "said": one.said} for one in faulty.faults]
        raise BadInput("style_faulty", str(faulty), faults=faults) from None


def _typed_data(request: HttpRequest, layer: LayerSpec, scope: Scope) -> dict[str, Any]:
    """Return the style of the form as data, with breaks found anew where they are not set by hand; it may still be faulty."""
    data: dict[str, Any] = {name: text for name in _FIELDS if (text := typed(request, name).strip()[:60])}
    kind, attribute = data.get("kind", "single"), layer.attribute(data.get("attribute", ""))
    for name, usual in (("tone", 1), ("opacity", 0.85), ("width", 2.0)):
        data[name] = _figure(typed(request, name), usual)
    data["sizes"] = [_figure(typed(request, "size_from"), 8.0), _figure(typed(request, "size_to"), 24.0)]
    data["zoom"] = [int(_figure(typed(request, "zoom_from"), 0)), int(_figure(typed(request, "zoom_to"), 22))]
    data["tone"] = int(data["tone"])
    unused = {"single": ("attribute", "method", "palette", "unit"), "categories": ("method", "palette", "unit")}
    for name in unused.get(kind, ("icon",) if kind == "sized" else ()):
        data.pop(name, None)
    if kind == "sized":
        data.pop("palette", None)
    if layer.geometry != "point":
        data.pop("icon", None)
    if kind == "categories" and attribute is not None:
        data["categories"] = _categories(request, attribute.kind)
    if kind in ("classes", "sized") and attribute is not None and attribute.kind in NUMERIC:
        method = data.setdefault("method", "jenks")
        if method == "manual":
            data["breaks"] = _cuts(typed(request, "breaks"))
        elif method in METHODS:
            classes = min(MOST_CLASSES, max(LEAST_CLASSES, number_typed(request, "classes") or USUAL_CLASSES))
            data["breaks"] = list(breaks_of(spread_of(layer, attribute, scope=scope), method, classes))
    return data


def _categories(request: HttpRequest, kind: str) -> list[dict[str, Any]]:
    found = []
    for text in request.POST.getlist("category")[:40]:
        title = typed(request, f"title.{text}").strip()[:40]
        found.append({"value": _value(text[:40], kind)} | ({"title": title} if title and title != text else {}))
    return found


def _value(text: str, kind: str) -> str | int | bool:
    if kind == "yes_no":
        return text == "True"
    if kind == "whole":
        return int(text) if text.lstrip("-").isdecimal() else 0
    return text


def _figure(text: str, usual: float) -> float:
    try:
        number = float(text)
    except ValueError:
        return usual
    return number if math.isfinite(number) else usual


def _cuts(text: str) -> list[float]:
    """Return breaks as people type them; what is no number is left to be told as a fault."""
    return [_figure(part, math.nan) for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def _show(
    request: HttpRequest,
    layer: LayerSpec,
    data: Mapping[str, Any],
    scope: Scope,
    *,
    fault: CityError | None = None,
    said: str = "",
) -> HttpResponse:
    faults: list[dict[str, str]] = list(fault.detail.get("faults", ())) if fault else []
    try:
        style = read_style(dict(data), layer, icons=set(ICONS))
    except StyleFaulty as faulty:
        faults = faults or [{"part": one.part, "said": one.said} for one in faulty.faults]
        style = style_for(layer)
    held = style_held(layer)
    attribute = layer.attribute(str(data.get("attribute", "")))
    numeric = attribute is not None and attribute.kind in NUMERIC and data.get("kind") in ("classes", "sized")
    spread = spread_of(layer, attribute, scope=scope) if numeric and attribute else None
    values = counts_of(layer, attribute, scope=scope) if data.get("kind") == "categories" and attribute else {}
    chosen = {str(one["value"]): one.get("title", "") for one in data.get("categories", ())}
    context = {
        "layer": layer,
        "held": held,
        "form": _form(data),
        "faults": faults,
        "fault": None if faults else fault,
        "said": said,
        "kinds": [(key, name) for key, name in KINDS.items() if key != "sized" or layer.geometry == "point"],
        "attributes": [(one.name, one.title) for one in layer.attributes if one.tiled],
        "methods": METHODS.items(),
        "palettes": [(one, range(len(one.light))) for one in PALETTES.values() if one.ordered],
        "tones": range(1, COLOURED + 1),
        "classes": range(LEAST_CLASSES, MOST_CLASSES + 1),
        "icons": ICONS.items(),
        "shapes": SHAPES.items(),
        "values": [(str(one), count, str(one) in chosen, chosen.get(str(one), "")) for one, count in values.items()
                   if one is not None and one is not ...],
        "histogram": histogram_of(spread) if spread else None,
        "high": HIGH,
        "wide": WIDE,
        "breaks": [float(one) for one in data.get("breaks", ())],
        "legend": legend_counted(layer, style, scope=scope),
        "drawn": _drawn(request, layer, style) | {"box": opening_box(layer, scope=scope)},
        "exported": json.dumps(style.data(), ensure_ascii=False, indent=1),
        "versions": versions_of(layer, scope=scope),
        "is_usual": style == usual_style(layer),
        "key": new_id(),
        "note": typed(request, "note"),
        **map_context(),
    }  # fmt: skip
    fragment = request.headers.get("X-Fragment") == "style"
    status = 200 if fragment else status_of(fault) if fault else 200
    return render(request, "desk/style_parts.html" if fragment else "desk/style.html", context, status=status)


def _form(data: Mapping[str, Any]) -> dict[str, Any]:
    usual = Style()
    found = {name: data.get(name, getattr(usual, name)) for name in (*_FIELDS, "tone", "opacity", "width")}
    sizes, zoom = data.get("sizes", usual.sizes), data.get("zoom", usual.zoom)
    cuts = [one for one in data.get("breaks", ()) if isinstance(one, float | int)]
    return found | {
        "size_from": sizes[0],
        "size_to": sizes[1],
        "zoom_from": zoom[0],
        "zoom_to": zoom[1],
        "classes": len(cuts) + 1 if cuts else USUAL_CLASSES,
        "breaks": ", ".join(f"{one:.10g}" for one in cuts),
    }


def _drawn(request: HttpRequest, layer: LayerSpec, style: Style) -> dict[str, Any]:
    root = f"{request.scheme}://{request.get_host()}"
    return {
        "source": {
            "type": "vector",
            "tiles": [f"{root}/tiles/{layer.key}/{{z}}/{{x}}/{{y}}.mvt?edition={edition_of_all([layer])}"],
            "minzoom": layer.min_zoom,
            "maxzoom": layer.max_zoom,
        },
        "layers": {theme: style_layers(layer, style, theme) for theme in THEMES},
        "from_zoom": layer.min_zoom,
    }


@require_safe
def style_json(request: HttpRequest, key: str) -> JsonResponse:
    """Send how a layer is drawn as a MapLibre style over its tiles; ``theme`` is light, dark or elder. Raises ``NotFound``."""
    layer = layer_named(key, scope=scope_for(request))
    theme = request.GET.get("theme", "light")
    if theme not in THEMES:
        raise NotFound("theme_unknown", "没有这种配色，可选 light、dark、elder。", known=list(THEMES))
    drawn = _drawn(request, layer, style_for(layer))
    body = {
        "version": 8,
        "name": layer.title,
        "sources": {layer.key: drawn["source"]},
        "layers": drawn["layers"][theme],
    }
    return _json(body, public=layer.public)


@require_safe
def legend_json(request: HttpRequest, key: str) -> JsonResponse:
    """Send the legend of a layer with its counts."""
    scope = scope_for(request)
    layer = layer_named(key, scope=scope)
    return _json(legend_counted(layer, style_for(layer), scope=scope).data(), public=layer.public)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to staff how a layer is styled."""
    return render(request, "help/styles.html")


def _json(body: Mapping[str, Any], *, public: bool) -> JsonResponse:
    answer = JsonResponse(dict(body), json_dumps_params={"ensure_ascii": False})
    answer["Cache-Control"] = "public, max-age=60" if public else "private, no-store"
    return answer


ROUTES = [
    path("desk/layers/<slug:key>/style", style_page, name="desk-layer-style"),
    path("layers/<slug:key>/style.json", style_json, name="layer-style"),
    path("layers/<slug:key>/legend.json", legend_json, name="layer-legend"),
    path("help/styles", help_page, name="help-styles"),
]
