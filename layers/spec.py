"""What a package declares when it wants to be drawn: frozen values in its ``map_layers.py``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

CATEGORIES: Final = {
    "base": "底图",
    "regions": "行政区划",
    "places": "服务设施",
    "addresses": "地名地址",
    "plans": "规划与围栏",
    "themes": "专题",
    "own": "自建图层",
}
"""The classes of the catalogue, in the order they are listed."""

Geometry = Literal["point", "line", "polygon"]
AttributeKind = Literal["text", "whole", "number", "yes_no", "day", "moment"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a feature says of itself: the name systems read, the Chinese title people read, its kind and how it is read.

    ``sql`` is a constant expression over ``t``; ``tiled`` says whether tiles carry it too.
    """

    name: str
    title: str
    kind: AttributeKind
    sql: str
    tiled: bool = True


@dataclass(frozen=True, slots=True)
class Detail:
    """What is drawn from one zoom on, until the next detail: a constant SQL condition over the table ``t``."""

    from_zoom: int
    where: str = "TRUE"


@dataclass(frozen=True, slots=True)
class Choice:
    """A request parameter that narrows a layer: ``condition`` is constant SQL that uses ``%(name)s`` as a list of words."""

    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer of the catalogue.

    ``table`` names a table or a constant subquery with columns ``id`` (a whole number) and ``geom`` (CGCS2000), whose values come
    from ``parameters``; ``order`` puts the most important first; ``families`` name the imports whose publishing makes older tiles
    stale, ``touched`` a constant SQL expression that changes when a row is edited. A layer that knows its ``edition`` says it.

    Points closer than ``cluster_px`` are one below the zoom ``cluster_below``: it says how many there are of each value of the
    attribute ``counted``, and sum, least and most of the ``figures``, attributes that are numbers.

    A layer with a ``duty`` is seen only by who holds it, and of its rows only those whose ``path`` (constant SQL giving the path
    of the row's region) lies in their scope; with ``within``, the path of the region it belongs to, only whose scope covers that.
    ``moment`` names the attribute that says when a feature holds. ``home`` is the path of the region whose staff set how it is
    drawn, '' for the whole city's.
    """

    key: str
    title: str
    geometry: Geometry
    table: str
    attributes: tuple[Attribute, ...]
    details: tuple[Detail, ...]
    category: str
    summary: str
    families: tuple[str, ...] = ()
    order: str = ""
    choices: tuple[Choice, ...] = ()
    cluster_px: int = 0
    cluster_below: int = 0
    counted: str = ""
    figures: tuple[str, ...] = ()
    max_zoom: int = 16
    touched: str = ""
    edition: str = ""
    duty: str = ""
    path: str = ""
    within: str = ""
    home: str = ""
    moment: str = ""
    source: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"the layer {self.key} is of no known class: {self.category}")
        if self.duty and not self.path:
            raise ValueError(f"the layer {self.key} needs a duty and does not say where its rows lie")

    def detail_at(self, zoom: int) -> Detail | None:
        """Return what is drawn at a zoom, or none when the layer begins deeper."""
        found = None
        for detail in self.details:
            if detail.from_zoom <= zoom:
                found = detail
        return found

    @property
    def min_zoom(self) -> int:
        """Return the zoom the layer begins at."""
        return self.details[0].from_zoom

    @property
    def public(self) -> bool:
        """Say whether everyone may see the layer."""
        return not self.duty

    @property
    def withdrawable(self) -> bool:
        """Say whether staff may take the layer back: it was provided, and knows its edition by itself."""
        return bool(self.edition)

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute of a name, or none."""
        return next((one for one in self.attributes if one.name == name), None)


SERVICE_CATEGORIES: Final = {
    "find": "查找和路径",
    "locate": "地址和坐标",
    "assign": "对口和围栏",
    "data": "数据和瓦片",
}
"""The classes of functions in the catalogue, in the order they are listed."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A function of the house that others may call over HTTP, declared in ``map_services.py``.

    ``method`` and ``path`` are its operation; what it is told comes from there. ``example`` is what is sent to try it:
    parameters of a GET, the body of a POST. ``{lon}``, ``{lat}``, ``{name}``, ``{address}``, ``{kind}`` and ``{place}`` in it
    stand for a published place. ``page`` is where people do the same; only who holds ``duty`` may call it. What ``acts``
    leaves something behind: nobody tries it by opening a page.
    """

    key: str
    title: str
    category: str
    summary: str
    path: str
    example: Mapping[str, Any]
    method: Literal["GET", "POST"] = "GET"
    page: str = ""
    duty: str = ""
    acts: bool = False

    def __post_init__(self) -> None:
        if self.category not in SERVICE_CATEGORIES:
            raise ValueError(f"the function {self.key} is of no known class: {self.category}")
