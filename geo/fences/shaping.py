"""Areas cut, joined, given parts and holes, widened and thinned. Pure; shapes in metres of the city's plane."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput
from geo.fences.topology import GRAIN_M, GRAIN_M2, Drawn, Table
from geo.geometry import polygons_of

WIDEST_M: Final = 200.0
COARSEST_M: Final = 10.0
WINDOW_M: Final = 50.0
SAME_BORDER_M: Final = 0.5
ON_LINE_M: Final = 1e-6


def cut(shape: BaseGeometry, line: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the two sides of an area cut along a line, the larger first. Raises ``BadInput`` when the line does not part it.

    A line that crosses a bent area more than once leaves several pieces: those that meet along the line lie on other sides.
    """
    pieces = [piece for part in polygons_of(shape) for piece in _pieces(part, line)]
    sides = _sides(pieces, line)
    two = [shapely.union_all([piece for piece, side in zip(pieces, sides, strict=True) if side == at]) for at in (0, 1)]
    first, second = sorted(two, key=lambda side: -side.area)
    if second.area < GRAIN_M2:
        raise BadInput("cut_misses", "切分线没有把片区分成两块。请从片区外面画起，穿过整个片区，画到外面为止。")
    return first, second


def _pieces(part: BaseGeometry, line: BaseGeometry) -> list[BaseGeometry]:
    if not part.intersects(line):
        return [part]
    edges = shapely.union_all([part.boundary, line])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    inside = [face for face in faces if part.covers(shapely.point_on_surface(face))]
    return inside if len(inside) > 1 else [part]


def _sides(pieces: Sequence[BaseGeometry], line: BaseGeometry) -> list[int]:
    """Return for each piece on which side it lies: pieces that share a stretch of the line lie on different ones."""
    sides = [-1] * len(pieces)
    order = sorted(range(len(pieces)), key=lambda at: -pieces[at].area)
    for start in order:
        if sides[start] >= 0:
            continue
        sides[start] = 0
        waiting = [start]
        while waiting:
            at = waiting.pop()
            for other in range(len(pieces)):
                if sides[other] < 0 and _meet_along(pieces[at], pieces[other], line):
                    sides[other] = 1 - sides[at]
                    waiting.append(other)
    return sides


def _meet_along(piece: BaseGeometry, other: BaseGeometry, line: BaseGeometry) -> bool:
    shared = shapely.intersection(piece.boundary, other.boundary)
    return bool(shared.length > GRAIN_M and shapely.intersection(shared, line.buffer(GRAIN_M)).length > GRAIN_M)


def joined(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Return two neighbouring areas as one, a seam of up to ``SAME_BORDER_M`` closed. Raises ``BadInput`` when they lie apart."""
    if shape.distance(other) > SAME_BORDER_M:
        raise BadInput("merge_apart", f"这两个片区不相邻，相距 {shape.distance(other):,.0f} 米，不能合并。")
    seam = shapely.intersection(shape.buffer(SAME_BORDER_M / 2), other.buffer(SAME_BORDER_M / 2))
    both = shapely.union(shape, other)
    inner = polygons_of(shapely.difference(seam, both))
    between = [piece for piece in inner if min(_shared_m(piece, shape), _shared_m(piece, other)) > 2 * SAME_BORDER_M]
    return shapely.union_all([both, *between])


def _shared_m(piece: BaseGeometry, shape: BaseGeometry) -> float:
    return float(shapely.intersection(piece.boundary, shape.buffer(GRAIN_M)).length)


def with_part(shape: BaseGeometry, part: BaseGeometry) -> BaseGeometry:
    """Return an area with a part added, near or apart. Raises ``BadInput`` when the area holds the part already."""
    if shapely.difference(part, shape).area < GRAIN_M2:
        raise BadInput("part_inside", "这一块本来就在里面，没有增加什么。请画到边界外面去。")
    return shapely.union(shape, part)


def without_part(shape: BaseGeometry, part: BaseGeometry) -> BaseGeometry:
    """Return an area without a part: a hole where the part lies inside. Raises ``BadInput`` when nothing or all would go."""
    left = shapely.difference(shape, part)
    if shape.area - left.area < GRAIN_M2:
        raise BadInput("part_outside", "挖的地方不在里面，没有挖掉什么。请画在要挖去的位置上。")
    if left.area < GRAIN_M2:
        raise BadInput("part_whole", "这样会全部挖掉。要整个去掉，请用“删除”。")
    return left


def widened(area: Drawn, metres: float, table: Table) -> BaseGeometry:
    """Return an area grown by some metres into free land of the district, or shrunk where they are negative."""
    if not 0 < abs(metres) <= WIDEST_M:
        raise BadInput("buffer_range", f"外扩或内缩请填 1 到 {WIDEST_M:.0f} 米。")
    grown = area.shape.buffer(metres)
    if metres < 0:
        return grown
    limits = [other.shape for other in table.neighbours(Drawn(area.key, area.name, grown))]
    free = shapely.difference(grown, shapely.union_all(limits)) if limits else grown
    district = table.ground.district
    within = shapely.intersection(free, district) if district is not None else free
    return shapely.union(within, area.shape)


def thinned(area: Drawn, neighbours: Sequence[Drawn], tolerance_m: float) -> dict[str, BaseGeometry]:
    """Return an area with fewer vertices, no edge moved beyond the tolerance, and the neighbours whose edges go along.

    Whatever is shared stays shared: no seam opens and nothing overlaps that did not before. Neighbours that
    overlap stay as they are.
    """
    if not 0 < tolerance_m <= COARSEST_M:
        raise BadInput("simplify_range", f"抽稀请填 0.1 到 {COARSEST_M:.0f} 米。")
    window = area.shape.buffer(WINDOW_M)
    owners = [area, *(other for other in neighbours if area.shape.intersection(other.shape).area < GRAIN_M2)]
    within, beyond = _noded([owner.shape for owner in owners], window)
    simple = shapely.coverage_simplify([face for face, _ in within], tolerance_m, simplify_boundary=False)
    shapes: dict[str, BaseGeometry] = {}
    for at, owner in enumerate(owners):
        inner = [face for face, (_, whose) in zip(simple, within, strict=True) if whose == at]
        whole = shapely.union_all([*inner, *(face for face, whose in beyond if whose == at)])
        whole = shapely.simplify(whole, ON_LINE_M)  # the window's own crossings are no corners
        if not whole.equals(owner.shape):
            shapes[owner.key] = whole
    return shapes


Faces = list[tuple[BaseGeometry, int]]


def _noded(shapes: Sequence[BaseGeometry], window: BaseGeometry) -> tuple[Faces, Faces]:
    """Return the faces within a window and those beyond it, each with the shape it belongs to, -1 for none.

    They share every vertex of their edges.
    """
    edges = shapely.union_all([window.boundary, *(shape.boundary for shape in shapes)])
    cells = shapely.get_parts(shapely.polygonize([edges]))
    tree = shapely.STRtree(list(shapes))
    groups: dict[tuple[bool, int], list[BaseGeometry]] = defaultdict(list)
    for cell in cells:
        spot = shapely.point_on_surface(cell)
        whose = int(min(tree.query(spot, predicate="within"), default=-1))
        groups[window.covers(spot), whose].append(cell)
    faces = {group: polygons_of(shapely.union_all(parts)) for group, parts in groups.items()}
    within = [(face, whose) for (inside, whose), parts in faces.items() if inside for face in parts]
    beyond = [(face, whose) for (inside, whose), parts in faces.items() if not inside for face in parts]
    return within, beyond
