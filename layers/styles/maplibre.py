"""A style as layers of MapLibre over the vector tiles of its layer. Pure.

Source and source layer bear the key of the layer. Pins are images named ``pin:SHAPE-TONE-ICON``, which whoever draws adds when
MapLibre misses them (``styleimagemissing``): ``/pins/THEME/SHAPE-TONE-ICON.svg``.
"""

from __future__ import annotations

from typing import Any, Final

from layers.spec import LayerSpec
from layers.styles.legend import size_at
from layers.styles.palettes import INKS, PALETTES, Ink, Theme
from layers.styles.spec import MOST_ZOOM, Style

FONTS: Final = ["PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "sans-serif"]
MANY: Final = [">", ["coalesce", ["get", "count"], 1], 1]
HATCH: Final = "hatch"
"""The picture that fills areas without data; maps find it as they find pins."""
"""A cluster: tiles say of how many features a point stands for."""
Layer = dict[str, Any]


def style_layers(layer: LayerSpec, style: Style, theme: Theme) -> list[Layer]:
    """Return the layers that draw a style in a theme, from below: symbols, what has no data, clusters, words."""
    ink = INKS[theme]
    one = {"point": _points, "line": _lines, "polygon": _polygons}[layer.geometry](layer, style, theme, ink)
    return [*one, *_clusters(layer, style, ink), *_words(layer, style, ink)]


def _base(layer: LayerSpec, style: Style, name: str, kind: str, **more: Any) -> Layer:
    found: Layer = {"id": f"{layer.key}-{name}", "type": kind, "source": layer.key, "source-layer": layer.key}
    if style.zoom[0] > 0:
        found["minzoom"] = style.zoom[0]
    if style.zoom[1] < MOST_ZOOM:
        found["maxzoom"] = style.zoom[1]
    return found | more


def _has(style: Style) -> list[Any]:
    return ["!=", ["coalesce", ["to-string", ["get", style.attribute]], ""], ""]


def _where(layer: LayerSpec, style: Style, *, missing: bool = False) -> dict[str, Any]:
    """Return the filter of what is drawn: no clusters, and what has a value or has none."""
    parts: list[Any] = [["!", MANY]] if layer.geometry == "point" and layer.cluster_px else []
    if style.kind != "single":
        parts.append(["!", _has(style)] if missing else _has(style))
    return {"filter": ["all", *parts]} if parts else {}


def colour_of(style: Style, theme: Theme) -> Any:
    """Return the colour of a feature, as an expression where it goes by an attribute."""
    colours = PALETTES["category"].colours(theme)
    if style.kind == "categories":
        pairs = [part for at, one in enumerate(style.categories) for part in (one.value, colours[at])]
        if isinstance(style.categories[0].value, bool):
            cases = [part for at, one in enumerate(style.categories) for part in (_is(style, one.value), colours[at])]
            return ["case", *cases, INKS[theme].other]
        return ["match", ["get", style.attribute], *pairs, INKS[theme].other]
    if style.kind == "classes":
        palette = PALETTES[style.palette or "quantity"]
        drawn = [palette.colours(theme)[step] for step in palette.steps(style.classes)]
        return _steps(style, drawn)
    return colours[style.tone - 1]


def _is(style: Style, value: Any) -> list[Any]:
    return ["==", ["get", style.attribute], value]


def _steps(style: Style, drawn: list[Any]) -> list[Any]:
    found: list[Any] = ["step", ["to-number", ["get", style.attribute]], drawn[0]]
    for cut, value in zip(style.breaks, drawn[1:], strict=True):
        found += [cut, value]
    return found


def _points(layer: LayerSpec, style: Style, theme: Theme, ink: Ink) -> list[Layer]:
    if style.icon:
        image: Any = f"pin:{style.shape}-{style.tone}-{style.icon}"
        if style.kind == "categories":
            named = [
                part
                for at, one in enumerate(style.categories, start=1)
                for part in (_is(style, one.value), f"pin:{style.shape}-{at}-{style.icon}")
            ]
            image = ["case", *named, f"pin:{style.shape}-0-{style.icon}"]
        layout = {"icon-image": image, "icon-anchor": "bottom", "icon-allow-overlap": True}
        faint = {"icon-opacity": style.opacity}
        pin = _base(layer, style, "pin", "symbol", layout=layout, paint=faint)
        return [pin | ({} if style.kind == "categories" else _where(layer, style))]
    radius: Any = style.sizes[0] / 2
    if style.kind == "sized":
        radius = _steps(style, [size_at(style, at) / 2 for at in range(style.classes)])
    paint: Layer = {
        "circle-color": colour_of(style, theme),
        "circle-radius": radius,
        "circle-opacity": style.opacity,
        "circle-stroke-width": 1.5,
        "circle-stroke-color": ink.edge if style.kind == "classes" else ink.ring,
    }
    drawn = [_base(layer, style, "point", "circle", paint=paint) | _where(layer, style)]
    if style.kind != "single":
        hollow: Layer = {
            "circle-color": ink.other,
            "circle-opacity": 0.15,
            "circle-radius": style.sizes[0] / 2,
            "circle-stroke-width": 1.5,
            "circle-stroke-color": ink.other,
        }
        drawn.append(_base(layer, style, "none", "circle", paint=hollow) | _where(layer, style, missing=True))
    return drawn


def _lines(layer: LayerSpec, style: Style, theme: Theme, ink: Ink) -> list[Layer]:
    round_ends = {"line-cap": "round", "line-join": "round"}
    # light steps fall below 3:1 on the land: an edge carries them, and a casing what stands for a kind
    edge = {
        "line-color": ink.edge if style.kind == "classes" else ink.ring,
        "line-width": style.width + 2,
        "line-opacity": style.opacity,
    }
    drawn = [_base(layer, style, "edge", "line", layout=round_ends, paint=edge) | _where(layer, style)]
    paint = {"line-color": colour_of(style, theme), "line-width": style.width, "line-opacity": style.opacity}
    drawn.append(_base(layer, style, "line", "line", layout=round_ends, paint=paint) | _where(layer, style))
    return drawn + _missing_lines(layer, style, ink)


def _missing_lines(layer: LayerSpec, style: Style, ink: Ink) -> list[Layer]:
    if style.kind == "single":
        return []
    paint = {"line-color": ink.other, "line-width": style.width, "line-dasharray": [2, 2]}
    return [_base(layer, style, "none", "line", paint=paint) | _where(layer, style, missing=True)]


def _polygons(layer: LayerSpec, style: Style, theme: Theme, ink: Ink) -> list[Layer]:
    colour = colour_of(style, theme)
    fill = {"fill-color": colour, "fill-opacity": style.opacity, "fill-antialias": False}
    line = {"line-color": ink.edge if style.kind == "classes" else colour, "line-width": style.width}
    return [
        _base(layer, style, "fill", "fill", paint=fill) | _where(layer, style),
        _base(layer, style, "line", "line", layout={"line-join": "round"}, paint=line) | _where(layer, style),
        *_hatched(layer, style),
        *_missing_lines(layer, style, ink),
    ]


def _hatched(layer: LayerSpec, style: Style) -> list[Layer]:
    if style.kind == "single":
        return []
    paint = {"fill-pattern": f"pin:{HATCH}", "fill-opacity": style.opacity}
    return [_base(layer, style, "hatch", "fill", paint=paint) | _where(layer, style, missing=True)]


def _clusters(layer: LayerSpec, style: Style, ink: Ink) -> list[Layer]:
    """Return circles with counts for what stands too close together to be told apart."""
    if layer.geometry != "point" or not layer.cluster_px:
        return []
    count = ["get", "count"]
    circle = {
        "circle-color": ink.accent,
        "circle-radius": ["min", 30, ["+", 12, ["*", 5, ["log10", count]]]],
        "circle-stroke-color": ink.ring,
        "circle-stroke-width": 2,
    }
    words = {
        "text-field": ["to-string", count],
        "text-size": ink.text_px + 1,
        "text-font": FONTS,
        "text-allow-overlap": True,
    }
    return [
        _base(layer, style, "cluster", "circle", paint=circle, filter=MANY),
        _base(
            layer, style, "count", "symbol", layout=words, filter=MANY,
            paint={"text-color": ink.on_accent},
        ),
    ]  # fmt: skip


def _words(layer: LayerSpec, style: Style, ink: Ink) -> list[Layer]:
    if not style.label:
        return []
    layout: dict[str, Any] = {
        "text-field": ["to-string", ["coalesce", ["get", style.label], ""]],
        "text-size": ink.text_px,
        "text-font": FONTS,
        "text-max-width": 8,
        "text-padding": 8,
        "text-optional": True,
    }
    if layer.geometry == "line":
        layout |= {"symbol-placement": "line", "text-max-angle": 30}
    if layer.geometry == "point":
        below = 0.4 if style.icon else round(style.sizes[0] / 2 / ink.text_px + 0.4, 2)
        layout |= {"text-anchor": "top", "text-offset": [0, below]}
    paint = {"text-color": ink.text, "text-halo-color": ink.halo, "text-halo-width": 1.8}
    found = _base(layer, style, "words", "symbol", layout=layout, paint=paint)
    if layer.geometry == "point" and layer.cluster_px:
        found["filter"] = ["!", MANY]
    return [found]
