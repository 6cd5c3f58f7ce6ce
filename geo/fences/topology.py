"""What is wrong with drawn areas: each alone, against its neighbours, against its district and the doors there. Pure.

All shapes are in metres of the city's plane. What is smaller than the grain of drawing is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.geometry import fault_of, polygons_of

GRAIN_M2: Final = 1.0
GRAIN_M: Final = 0.02
"""Overlaps, gaps and overhangs smaller or narrower than these are the grain of drawing, not faults."""
NARROW_M: Final = 2.0
TINY_M2: Final = 200.0
"""A part of an area smaller than this, or narrower than ``NARROW_M`` throughout, is a sliver."""
FILLABLE_M2: Final = 50_000.0
"""Land larger than this that nobody has drawn is still to be drawn, not a gap to be filled."""
MOST_VERTICES: Final = 2_000
SPLIT_SHARE: Final = 0.05
"""A community is cut in two when more than this share of it lies on either side."""
MOST_NAMED: Final = 3

FlawKind = Literal[
    "empty", "crossing", "overlap", "outside", "gap", "undrawn", "sliver", "vertices", "community", "roads"
]
Level = Literal["error", "warning", "notice"]
RepairKind = Literal["give", "keep", "halve", "fill", "clip", "tidy", "drop", "thin"]

LEVELS: Final[dict[FlawKind, Level]] = {
    "empty": "error",
    "crossing": "error",
    "overlap": "error",
    "outside": "error",
    "gap": "warning",
    "sliver": "warning",
    "vertices": "warning",
    "undrawn": "notice",
    "community": "notice",
    "roads": "notice",
}
REPAIRS: Final[dict[FlawKind, tuple[RepairKind, ...]]] = {
    "crossing": ("tidy",),
    "overlap": ("give", "keep", "halve"),
    "outside": ("clip",),
    "gap": ("fill",),
    "sliver": ("drop",),
    "vertices": ("thin",),
}
REPAIR_WORDS: Final[dict[RepairKind, str]] = {
    "give": "划归相邻片区",
    "keep": "归本片区",
    "halve": "沿中线平分",
    "fill": "补进本片区",
    "clip": "裁到区界",
    "tidy": "按轮廓修正",
    "drop": "去掉碎片",
    "thin": "减少顶点",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """An area as it is drawn, valid or not; ``key`` tells areas apart."""

    key: str
    name: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Ground:
    """What areas are held against: the district's boundary (``None`` unknown), its doors, and the communities with a boundary.

    ``doors`` are points (n, 2), ``labels`` how each is written. ``noun`` is what an area is called. ``exclusive`` areas may not
    overlap, ``covering`` ones leave no gaps. ``undrawn`` says what becomes of doors on land that nobody drew.
    """

    district: BaseGeometry | None = None
    doors: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    labels: Sequence[str] = ()
    communities: Sequence[tuple[str, BaseGeometry]] = ()
    noun: str = "片区"
    exclusive: bool = True
    covering: bool = True
    undrawn: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with an area: ``shape`` is where, ``area_m2`` and ``length_m`` how much, ``doors`` whom it touches.

    ``other`` is the key of the neighbour it is shared with. ``repairs`` are offered, the usual one first.
    """

    kind: FlawKind
    area: str
    title: str
    said: str
    shape: BaseGeometry
    other: str = ""
    area_m2: float = 0.0
    length_m: float = 0.0
    doors: tuple[int, ...] = ()
    repairs: tuple[RepairKind, ...] = ()

    @property
    def level(self) -> Level:
        """Return how grave it is: an error stops publishing."""
        return LEVELS[self.kind]

    @property
    def id(self) -> str:
        """Return a name that stays while the flaw does: its kind, the two areas, and a spot inside to the metre."""
        spot = shapely.point_on_surface(self.shape)
        where = f"{spot.x:.0f}:{spot.y:.0f}" if not spot.is_empty else ""
        return ":".join((self.kind, self.area, self.other, where))


class Table:
    """The areas of one edition on the planner's table, ready to be asked what is wrong with one of them or with all."""

    def __init__(self, areas: Iterable[Drawn], ground: Ground) -> None:
        self.areas = {area.key: area for area in areas}
        self.ground = ground
        self._keys = [key for key, area in self.areas.items() if area.shape.is_valid]
        self._tree = shapely.STRtree([self.areas[key].shape for key in self._keys])
        self._doors = shapely.STRtree(shapely.points(ground.doors))
        self._communities = shapely.STRtree([shape for _, shape in ground.communities])
        self._free: dict[str, BaseGeometry] = {}

    def neighbours(self, area: Drawn, within_m: float = 0.0) -> list[Drawn]:
        """Return the other areas that touch a shape or come as near as that."""
        if area.shape.is_empty:
            return []
        near = self._tree.query(area.shape, predicate="dwithin", distance=within_m)
        return [self.areas[key] for key in sorted(self._keys[at] for at in near) if key != area.key]

    def doors_in(self, shape: BaseGeometry) -> tuple[int, ...]:
        """Return the doors (their places in the ground) that a shape covers."""
        if shape.is_empty or not len(self.ground.doors):
            return ()
        return tuple(sorted(int(at) for at in self._doors.query(shape, predicate="covers")))

    def free_without(self, key: str) -> BaseGeometry:
        """Return the land of the district that no area but this one covers."""
        if self.ground.district is None:
            return shapely.Polygon()
        if key not in self._free:
            if "" not in self._free:
                taken = shapely.union_all([self.areas[each].shape for each in self._keys])
                self._free[""] = shapely.difference(self.ground.district, taken)
            if key in self._keys:
                # only where this area lies can its absence free anything
                own = shapely.intersection(self.areas[key].shape, self.ground.district)
                around = shapely.union_all([other.shape for other in self.neighbours(self.areas[key])])
                freed = shapely.difference(own, around)
                self._free[key] = shapely.union_all([self._free[""], freed])
            else:
                self._free[key] = self._free[""]
        return self._free[key]

    def flaws_of(self, area: Drawn) -> list[Flaw]:
        """Return what is wrong with an area as it is drawn now, against the others as they are kept; the gravest first."""
        return _gravest_first([*self._besides_gaps(area), *self._gaps(area)])

    def flaws(self) -> list[Flaw]:
        """Return what is wrong with all areas, every overlap and gap once, and the land that nobody has drawn."""
        found: dict[str, Flaw] = {}
        for area in self.areas.values():
            for flaw in self._besides_gaps(area):
                pair = ":".join(sorted((flaw.area, flaw.other)))
                found.setdefault(f"{flaw.kind}:{pair}", flaw)
        return _gravest_first([*found.values(), *self._every_gap(), *self._undrawn()])

    def _besides_gaps(self, area: Drawn) -> list[Flaw]:
        alone = list(_alone(area, self.ground.noun))
        if any(flaw.kind in ("empty", "crossing") for flaw in alone):
            return alone
        return [*alone, *self._overlaps(area), *self._outside(area), *self._cut_communities(area)]

    def _overlaps(self, area: Drawn) -> Iterable[Flaw]:
        if not self.ground.exclusive:
            return
        for other in self.neighbours(area):
            common = _solid(shapely.intersection(area.shape, other.shape))
            if common.is_empty:
                continue
            size = float(common.area)
            along = float(shapely.intersection(area.shape.boundary, common.buffer(GRAIN_M)).length)
            doors = self.doors_in(common)
            touched = f"，涉及 {len(doors)} 个门牌" if doors else ""
            offered = tuple(kind for kind in REPAIRS["overlap"] if _leaves_something(kind, area, other, common))
            yield Flaw(
                "overlap", area.key, f"与“{other.name}”重叠 {measure(size)}", f"沿边界 {along:,.0f} 米{touched}。",
                common, other.key, size, along, doors, offered,
            )  # fmt: skip

    def _outside(self, area: Drawn) -> Iterable[Flaw]:
        if self.ground.district is None:
            return
        beyond = _solid(shapely.difference(area.shape, self.ground.district))
        if not beyond.is_empty:
            size = float(beyond.area)
            gone = shapely.intersection(area.shape, self.ground.district).area < GRAIN_M2
            whole = f"整个{self.ground.noun}都在区界以外，请核对坐标系或画到本区。"
            said = whole if gone else "区界以外的地址归别的区管。"
            yield Flaw(
                "outside", area.key, f"超出区界 {measure(size)}", said, beyond, area_m2=size,
                repairs=() if gone else REPAIRS["outside"],
            )  # fmt: skip

    def _gaps(self, area: Drawn) -> Iterable[Flaw]:
        if not self.ground.covering or not area.shape.is_valid or area.shape.is_empty:
            return
        free = _touching(self.free_without(area.key), area.shape)
        for piece in polygons_of(_solid(shapely.difference(free, area.shape))):
            if piece.area <= FILLABLE_M2 and piece.distance(area.shape) <= GRAIN_M:
                yield from self._gap(area, piece)

    def _every_gap(self) -> Iterable[Flaw]:
        """Return every gap once, told of the area with which it shares most of its border."""
        if not self.ground.covering:
            return
        for piece in polygons_of(_solid(self.free_without(""))):
            around = self.neighbours(Drawn("", "", piece), within_m=GRAIN_M) if piece.area <= FILLABLE_M2 else []
            if around:
                edge = piece.boundary.buffer(GRAIN_M)
                longest = max(around, key=lambda area: (area.shape.boundary.intersection(edge).length, area.key))
                yield from self._gap(longest, piece)

    def _gap(self, area: Drawn, piece: BaseGeometry) -> Iterable[Flaw]:
        doors = self.doors_in(piece)
        if doors:
            said = f"{self._named(doors)}落在{self.ground.noun}之间的空隙里（{measure(piece.area)}）。"
            yield Flaw(
                "gap", area.key, f"{len(doors)} 个门牌没有归属", said, piece, area_m2=float(piece.area), doors=doors,
                repairs=REPAIRS["gap"],
            )  # fmt: skip

    def _undrawn(self) -> Iterable[Flaw]:
        if not self.ground.covering:
            return
        pieces = [piece for piece in polygons_of(self.free_without("")) if piece.area > FILLABLE_M2]
        if pieces and self.areas:
            land = shapely.MultiPolygon(pieces)
            doors = self.doors_in(land)
            said = f"里面有 {len(doors):,} 个门牌{self.ground.undrawn}。" if doors else "里面没有门牌。"
            yield Flaw(
                "undrawn", "", f"还有 {measure(land.area)} 没有画进任何{self.ground.noun}", said, land, area_m2=float(land.area),
                doors=doors,
            )  # fmt: skip

    def _cut_communities(self, area: Drawn) -> Iterable[Flaw]:
        if not self.ground.communities:
            return
        cut = []
        for at in sorted(self._communities.query(area.shape.boundary, predicate="intersects")):
            name, shape = self.ground.communities[at]
            inside = shapely.intersection(shape, area.shape).area / shape.area if shape.area else 0.0
            if SPLIT_SHARE < inside < 1 - SPLIT_SHARE:
                cut.append((name, inside, shape))
        if cut:
            told = "、".join(f"“{name}”（{inside:.0%} 在本{self.ground.noun}）" for name, inside, _ in cut[:MOST_NAMED])
            more = f"等 {len(cut)} 个小区" if len(cut) > MOST_NAMED else ""
            crossed = shapely.intersection(area.shape.boundary, shapely.union_all([shape for _, _, shape in cut]))
            yield Flaw(
                "community", area.key, f"边界穿过 {len(cut)} 个小区", f"{told}{more}被分成两半，可以吸附到小区外的路。",
                crossed,
            )  # fmt: skip

    def _named(self, doors: Sequence[int]) -> str:
        names = [self.ground.labels[at] for at in doors[:MOST_NAMED] if at < len(self.ground.labels)]
        return "、".join(names) + (f"等 {len(doors)} 个门牌" if len(doors) > len(names) else "")


def _gravest_first(flaws: Iterable[Flaw]) -> list[Flaw]:
    return sorted(flaws, key=lambda flaw: (list(LEVELS).index(flaw.kind), -flaw.area_m2, flaw.area, flaw.other))


def measure(area_m2: float) -> str:
    """Return an area in words: square metres, hectares above one, square kilometres above one."""
    if area_m2 < 10_000:
        return f"{area_m2:,.0f} m²"
    return f"{area_m2 / 10_000:,.1f} 公顷" if area_m2 < 1_000_000 else f"{area_m2 / 1_000_000:,.2f} km²"


def sliver_parts(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts of an area, and its holes, that are too small or too narrow to be meant; never its largest part."""
    parts = sorted(polygons_of(shape), key=lambda part: -part.area)
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    return [piece for piece in (*parts[1:], *holes) if piece.area < TINY_M2 or _narrow(piece)]


def _alone(area: Drawn, noun: str) -> Iterable[Flaw]:
    fault = fault_of(area.shape)
    if fault:
        spot = _spot_of(area.shape)
        said = "两条边交叉，分不清哪边是里面。把交叉的顶点拖开，或按轮廓修正。"
        yield Flaw("crossing", area.key, fault.split("（")[0], said, spot, repairs=REPAIRS["crossing"])
        return
    if area.shape.area < GRAIN_M2:
        yield Flaw(
            "empty", area.key, f"{noun}没有面积", f"顶点都在一条线上。请重画，或删除这个{noun}。", area.shape.centroid
        )
        return
    slivers = sliver_parts(area.shape)
    if slivers:
        shape = shapely.union_all(slivers)
        said = f"{len(slivers)} 块，共 {measure(shape.area)}，多半是切分或导入留下的。"
        yield Flaw(
            "sliver", area.key, f"有 {len(slivers)} 块细碎", said, shape, area_m2=float(shape.area),
            repairs=REPAIRS["sliver"],
        )  # fmt: skip
    count = int(shapely.get_num_coordinates(area.shape))
    if count > MOST_VERTICES:
        said = f"{count:,} 个顶点，改边会很慢。减少顶点时，和邻居共用的边一起变，不会出现缝。"
        yield Flaw("vertices", area.key, "顶点太多", said, area.shape.boundary, repairs=REPAIRS["vertices"])


def _spot_of(shape: BaseGeometry) -> BaseGeometry:
    """Return the point at which a shape is not valid."""
    where = shapely.is_valid_reason(shape).partition("[")[2].rstrip("]").split()
    return shapely.Point(float(where[0]), float(where[1])) if len(where) >= 2 else shape.centroid


def _leaves_something(kind: RepairKind, area: Drawn, other: Drawn, common: BaseGeometry) -> bool:
    """Say whether a repair of an overlap leaves both areas with land; one inside the other has no middle to halve at."""
    if kind == "give":
        return bool(area.shape.area - common.area > GRAIN_M2)
    if kind == "keep":
        return bool(other.shape.area - common.area > GRAIN_M2)
    return bool(min(area.shape.area, other.shape.area) - common.area > GRAIN_M2)


def _solid(shape: BaseGeometry) -> BaseGeometry:
    """Return the parts of a shape that are more than the grain of drawing, as a multipolygon."""
    pieces = [
        piece for piece in polygons_of(shape) if piece.area >= GRAIN_M2 and not piece.buffer(-GRAIN_M / 2).is_empty
    ]
    return shapely.MultiPolygon(pieces)


def _touching(free: BaseGeometry, shape: BaseGeometry) -> BaseGeometry:
    """Return the pieces of free land that a shape touches."""
    near = shapely.box(*shape.buffer(1.0).bounds)
    return shapely.MultiPolygon([piece for piece in polygons_of(free) if piece.intersects(near)])


def _narrow(piece: BaseGeometry) -> bool:
    return bool(piece.buffer(-NARROW_M / 2).is_empty)
