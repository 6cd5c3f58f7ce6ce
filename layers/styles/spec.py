"""A style as a value: read from plain data with every fault told, held against the layer it draws, written back as data. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from layers.spec import Attribute, LayerSpec
from layers.styles.classing import LEAST_CLASSES, METHODS, MOST_CLASSES
from layers.styles.palettes import PALETTES

Kind = Literal["single", "categories", "classes", "sized"]
KINDS: Final[dict[Kind, str]] = {
    "single": "一种符号",
    "categories": "按类别上色",
    "classes": "按数值分级上色",
    "sized": "按数值分大小",
}
SHAPES: Final[dict[str, str]] = {"drop": "水滴", "disc": "圆", "tile": "方", "gem": "菱形", "flag": "盾牌"}
COLOURED: Final = 5
"""Categories that have a colour of their own; what is left is drawn as the rest."""
NUMERIC: Final = frozenset({"whole", "number"})
MOST_ZOOM: Final = 22
MOST_WORDS: Final = 40
MOST_DATA: Final = 20_000
LEAST_PX, MOST_PX = 2.0, 40.0
_ICON: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a style: the part of it, and what to do in words people read."""

    part: str
    said: str


@dataclass(frozen=True, slots=True)
class Category:
    """A value of an attribute that is drawn in a colour of its own, with the words of the legend ('': the value itself)."""

    value: str | int | bool
    title: str = ""

    @property
    def words(self) -> str:
        """Return what the legend calls it."""
        return self.title or (
            {True: "是", False: "否"}[self.value] if isinstance(self.value, bool) else str(self.value)
        )


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn.

    ``attribute`` is what categories, classes or sizes go by; ``breaks`` rise, each belonging to the class above it, found by
    ``method``. ``sizes`` are the least and greatest diameter of a point in px, ``width`` that of lines and edges. ``icon`` is a
    Lucide name, ``shape`` that of the pin around it, ``tone`` its colour among the categories. ``zoom`` says from which zoom to
    which it is drawn.
    """

    kind: Kind = "single"
    attribute: str = ""
    categories: tuple[Category, ...] = ()
    breaks: tuple[float, ...] = ()
    method: str = ""
    palette: str = ""
    icon: str = ""
    shape: str = "drop"
    tone: int = 1
    label: str = ""
    unit: str = ""
    opacity: float = 0.85
    sizes: tuple[float, float] = (8.0, 24.0)
    width: float = 2.0
    zoom: tuple[int, int] = (0, MOST_ZOOM)

    @property
    def classes(self) -> int:
        """Return how many classes the breaks make."""
        return len(self.breaks) + 1

    def data(self) -> dict[str, Any]:
        """Return the style as plain data: only what is not as usual."""
        usual, found = Style(), dict[str, Any](kind=self.kind)
        for name in ("attribute", "method", "palette", "icon", "shape", "tone", "label", "unit", "opacity", "width"):
            if getattr(self, name) != getattr(usual, name):
                found[name] = getattr(self, name)
        if self.categories:
            found["categories"] = [
                {"value": one.value} | ({"title": one.title} if one.title else {}) for one in self.categories
            ]
        for name in ("breaks", "sizes", "zoom"):
            if getattr(self, name) != getattr(usual, name):
                found[name] = list(getattr(self, name))
        return found


class StyleFaulty(ValueError):
    """Data that is no style of a layer; ``faults`` are all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("；".join(fault.said for fault in faults))
        self.faults = tuple(faults)


def read_style(data: object, layer: LayerSpec, *, icons: Collection[str] | None = None) -> Style:
    """Return the style that plain data says. Raises ``StyleFaulty`` with every fault; ``icons`` are the names there are."""
    if not isinstance(data, Mapping):
        raise StyleFaulty([Fault("", '样式要是一个 JSON 对象，例如 {"kind": "single"}。')])
    faults = [*_shape_faults(data)]
    if faults:
        raise StyleFaulty(faults)
    style = _style_of(data)
    faults = [*faults_of(style, layer, icons=icons)]
    if faults:
        raise StyleFaulty(faults)
    return style


def _style_of(data: Mapping[str, Any]) -> Style:
    usual = Style()
    found: dict[str, Any] = {name: data[name] for name in data if name not in ("categories", "breaks", "sizes", "zoom")}
    found["categories"] = tuple(Category(one["value"], one.get("title", "")) for one in data.get("categories", ()))
    for name in ("breaks", "sizes"):
        found[name] = tuple(float(one) for one in data.get(name, getattr(usual, name)))
    found["zoom"] = tuple(int(one) for one in data.get("zoom", usual.zoom))
    return Style(**found)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MOST_WORDS and "\x00" not in value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_FIELDS: Final[dict[str, tuple[str, Any]]] = {
    "kind": ("画法", lambda value: value in get_args(Kind)),
    "attribute": ("属性", _text),
    "method": ("分级方法", lambda value: value in METHODS),
    "palette": ("配色", lambda value: isinstance(value, str) and value in PALETTES),
    "icon": ("图标", _text),
    "shape": ("标记形状", lambda value: isinstance(value, str) and value in SHAPES),
    "tone": ("颜色", lambda value: _whole(value) and 1 <= value <= COLOURED),
    "label": ("标注", _text),
    "unit": ("单位", _text),
    "opacity": ("不透明度", lambda value: _number(value) and 0.1 <= value <= 1),
    "width": ("线宽", lambda value: _number(value) and 0.5 <= value <= 12),
    "categories": ("类别", lambda value: isinstance(value, list) and len(value) <= 200 and all(map(_category, value))),
    "breaks": ("分级", lambda value: isinstance(value, list) and len(value) <= 200 and all(map(_number, value))),
    "sizes": ("大小", lambda value: isinstance(value, list) and len(value) == 2 and all(map(_number, value))),
    "zoom": ("级别范围", lambda value: isinstance(value, list) and len(value) == 2 and all(map(_whole, value))),
}


def _category(value: object) -> bool:
    if not isinstance(value, Mapping) or not set(value) <= {"value", "title"} or "value" not in value:
        return False
    held = value["value"]
    return (isinstance(held, bool) or _whole(held) or (_text(held) and held != "")) and _text(value.get("title", ""))


def _shape_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    for name in data:
        if name not in _FIELDS:
            yield Fault(str(name)[:40], f"不认识“{str(name)[:40]}”这一项，请去掉。")
    if "kind" not in data:
        yield Fault("kind", "没有说明画法（kind），可以是 " + "、".join(KINDS) + "。")
    for name, (title, holds) in _FIELDS.items():
        if name in data and not holds(data[name]):
            yield Fault(name, f"“{title}”（{name}）填的不对，请核对。")


def faults_of(style: Style, layer: LayerSpec, *, icons: Collection[str] | None = None) -> Iterator[Fault]:
    """Yield what of a style does not fit its layer."""
    if style.kind != "single":
        yield from _attribute_faults(style, layer)
    if style.kind == "categories":
        yield from _category_faults(style, layer.attribute(style.attribute))
    if style.kind in ("classes", "sized"):
        yield from _break_faults(style)
    if style.kind == "sized" and layer.geometry != "point":
        yield Fault("kind", "只有点图层能按大小画，请改按颜色分级。")
    if style.icon and (layer.geometry != "point" or style.kind == "sized"):
        yield Fault("icon", "只有不分大小的点图层能用图标，请去掉图标。")
    if style.icon and (not _ICON.fullmatch(style.icon) or (icons is not None and style.icon not in icons)):
        yield Fault("icon", f"没有名为“{style.icon}”的图标，请从列表里选。")
    if style.label and not _tiled(layer.attribute(style.label)):
        yield Fault("label", f"图层没有可以标注的属性“{style.label}”，请从列表里选。")
    low, high = style.sizes
    if not LEAST_PX <= low <= high <= MOST_PX:
        yield Fault("sizes", f"大小要在 {LEAST_PX:g} 到 {MOST_PX:g} 像素之间，先小后大。")
    if not 0 <= style.zoom[0] < style.zoom[1] <= MOST_ZOOM:
        yield Fault("zoom", f"级别范围要在 0 到 {MOST_ZOOM} 之间，先小后大。")


def _tiled(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.tiled


def _attribute_faults(style: Style, layer: LayerSpec) -> Iterator[Fault]:
    attribute = layer.attribute(style.attribute)
    if attribute is None:
        known = "、".join(one.name for one in layer.attributes if one.tiled)
        yield Fault("attribute", f"图层没有属性“{style.attribute}”。可以用：{known}。")
        return
    if not attribute.tiled:
        yield Fault("attribute", f"属性“{attribute.title}”不在瓦片里，地图上画不出来。请换一个。")
    if style.kind in ("classes", "sized") and attribute.kind not in NUMERIC:
        yield Fault("attribute", f"属性“{attribute.title}”不是数字，不能分级。请换一个数字属性，或改按类别上色。")


def _category_faults(style: Style, attribute: Attribute | None) -> Iterator[Fault]:
    if not style.categories:
        yield Fault("categories", "还没有选类别，请至少选一个。")
    if len(style.categories) > COLOURED:
        yield Fault(
            "categories",
            f"有 {len(style.categories)} 个类别，颜色只有 {COLOURED} 种。请只留最要紧的，其余会画成“其他”。",
        )
    values = [(type(one.value), one.value) for one in style.categories]
    if len(set(values)) < len(values):
        yield Fault("categories", "同一个类别写了两次，请去掉一个。")
    if style.palette not in ("", "category"):
        yield Fault("palette", "类别没有先后，请用“分类”配色。")
    if attribute is None:
        return
    fits = {"yes_no": bool, "whole": int}.get(attribute.kind, str)
    if attribute.kind == "number":
        yield Fault("attribute", f"属性“{attribute.title}”是小数，不能当类别。请改按数值分级。")
    elif any(type(one.value) is not fits for one in style.categories):
        yield Fault("categories", f"类别的值和属性“{attribute.title}”的类型不一样，请核对。")


def _break_faults(style: Style) -> Iterator[Fault]:
    if not LEAST_CLASSES <= style.classes <= MOST_CLASSES:
        yield Fault("breaks", f"要分 {LEAST_CLASSES} 到 {MOST_CLASSES} 级，现在是 {style.classes} 级。")
    if any(after <= before for before, after in zip(style.breaks, style.breaks[1:], strict=False)):
        yield Fault("breaks", "分级的界限要从小到大，不能重复。")
    if style.kind != "classes":
        return
    if style.palette == "category":
        yield Fault("palette", "分级有先后，请用数量、缺口或两边分开的配色。")
    palette = PALETTES[style.palette or "quantity"]
    if style.classes > len(palette.light):
        yield Fault("palette", f"“{palette.title}”只有 {len(palette.light)} 种颜色，不够分 {style.classes} 级。")


def usual_style(layer: LayerSpec) -> Style:
    """Return how a layer is drawn that nobody gave a style: one symbol, with its names."""
    named = next((one.name for one in layer.attributes if one.tiled and one.name in ("name", "title")), "")
    return Style(label=named, opacity=0.85 if layer.geometry == "point" else 0.6)
