"""What the legend of a style says: each symbol with its words and, where known, how many it stands for. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from layers.spec import LayerSpec
from layers.styles.classing import Spread, counts_in
from layers.styles.palettes import PALETTES
from layers.styles.spec import Style

OTHER = "其他"
MISSING = "没有数据"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend. ``token`` names the colour (``quantity-3``, ``other``), ``size`` the diameter of a point in px."""

    words: str
    token: str
    size: float = 14.0
    count: int | None = None
    hollow: bool = False

    @property
    def tone(self) -> int:
        """Return which of the pins' colours is its own; 0 for the rest."""
        return int(self.token.rpartition("-")[2]) + 1 if self.token.startswith("category-") else 0

    @property
    def radius(self) -> float:
        """Return half the diameter, as it fits a line of the legend."""
        return min(self.size, 28.0) / 2

    @property
    def counted(self) -> str:
        """Return how many it stands for, in words; '' where nobody counted."""
        return "" if self.count is None else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class Legend:
    """A legend: the layer, what its symbols go by with the unit, and its lines."""

    title: str
    measure: str
    geometry: Literal["point", "line", "polygon"]
    entries: tuple[Entry, ...]
    icon: str = ""
    shape: str = ""
    tone: int = 1

    def data(self) -> dict[str, object]:
        """Return it as plain data."""
        entries = [
            {"words": one.words, "colour": one.token, "size": one.size, "count": one.count} for one in self.entries
        ]
        return {"title": self.title, "measure": self.measure, "geometry": self.geometry, "entries": entries}


def legend_of(
    layer: LayerSpec, style: Style, spread: Spread | None = None, counts: dict[object, int] | None = None
) -> Legend:
    """Return the legend of a style; ``spread`` counts its classes, ``counts`` its categories by value (``None``: no value)."""
    attribute = layer.attribute(style.attribute)
    measure = ""
    if style.kind != "single" and attribute is not None:
        measure = (
            f"{attribute.title}（{style.unit}）"
            if style.unit and style.unit not in attribute.title
            else attribute.title
        )
    make = {"categories": _categories, "classes": _classes, "sized": _classes}.get(style.kind)
    entries = (
        make(layer, style, spread, counts)
        if make
        else (Entry(layer.title, PALETTES["category"].name_of(style.tone - 1)),)
    )
    return Legend(layer.title, measure, layer.geometry, entries, style.icon, style.shape, style.tone)


def _categories(
    layer: LayerSpec, style: Style, spread: Spread | None, counts: dict[object, int] | None
) -> tuple[Entry, ...]:
    own = [
        Entry(
            one.words, PALETTES["category"].name_of(number), count=None if counts is None else counts.get(one.value, 0)
        )
        for number, one in enumerate(style.categories)
    ]
    if counts is None:
        return (*own, Entry(OTHER, "other"))
    named = {one.value for one in style.categories}
    rest = sum(count for value, count in counts.items() if value not in named and value is not None)
    missing = counts.get(None, 0)
    return (
        *own,
        *([Entry(OTHER, "other", count=rest)] if rest else []),
        *([Entry(MISSING, "other", count=missing, hollow=True)] if missing else []),
    )


def _classes(
    layer: LayerSpec, style: Style, spread: Spread | None, counts: dict[object, int] | None
) -> tuple[Entry, ...]:
    attribute = layer.attribute(style.attribute)
    words = words_of(style.breaks, whole=attribute is not None and attribute.kind == "whole")
    held = counts_in(spread, style.breaks) if spread is not None and spread.values else None
    palette = PALETTES[style.palette or "quantity"]
    steps = palette.steps(style.classes)
    entries = [
        Entry(
            said,
            palette.name_of(steps[at]) if style.kind == "classes" else PALETTES["category"].name_of(style.tone - 1),
            14.0 if style.kind == "classes" else size_at(style, at),
            None if held is None else held[at],
        )
        for at, said in enumerate(words)
    ]
    if spread is not None and spread.missing:
        entries.append(Entry(MISSING, "other", count=spread.missing, hollow=True))
    return tuple(entries)


def size_at(style: Style, at: int) -> float:
    """Return the diameter in px of a class: areas rise evenly, for people compare areas."""
    low, high = (size * size for size in style.sizes)
    share = at / max(1, style.classes - 1)
    return round(math.sqrt(low + (high - low) * share), 1)


def words_of(breaks: tuple[float, ...], *, whole: bool) -> list[str]:
    """Return the words of each class: “< 10”, “10–19”, “≥ 20” of whole numbers; of others “10 至 20（不含）” between."""
    if not breaks:
        return ["全部"]
    said = [figure(one) for one in breaks]
    middle = []
    for low, high in zip(breaks, breaks[1:], strict=False):
        if whole and low == int(low) and high == int(high):
            middle.append(figure(low) if high - low == 1 else f"{figure(low)}–{figure(high - 1)}")
        else:
            middle.append(f"{figure(low)} 至 {figure(high)}（不含）")
    return [f"< {said[0]}", *middle, f"≥ {said[-1]}"]


def figure(value: float) -> str:
    """Return a figure with commas and no more digits than it has, six at most behind the point."""
    text = f"{int(value):,}" if value == int(value) else f"{value:,.6f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")
