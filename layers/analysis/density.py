"""密度: how many features, or how much of a number they say, there is per square kilometre, over squares or H3 cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import BadInput, TooLarge
from geo.geometry import from_plane, to_plane
from geo.scope import Scope
from layers.analysis.results import Batch, Outcome, write_result
from layers.analysis.shapes import Shapes
from layers.analysis.sides import loaded
from layers.analysis.sources import ONE_SIDE, Field, Side, Source, plan_sides
from layers.datasets.queries import VIEW
from layers.processes.features import RESULT, city_of
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

MOST_CELLS: Final = 100_000
WIDEST: Final = 20
"""A point is spread over at most so many cells in each direction."""
AT_A_TIME: Final = 1_000
GRIDS: Final = {"square": "方格", "h3": "六边形（H3）"}
FINEST: Final = 10
COARSEST: Final = 6
Floats = npt.NDArray[np.float64]


def plan_density(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say of what a density is made. Raises ``BadInput`` for a number there is not, or a radius too wide for the cells."""
    plan, (source,) = plan_sides("密度", inputs, scope, both=False)
    _weight(source, inputs)
    radius, size = float(inputs.get("radius_m", 0)), _size(inputs)
    if radius and not size <= radius <= WIDEST * size:
        raise BadInput(
            "radius_unfit", f"影响半径请填 0，或 {size:,.0f} 到 {WIDEST * size:,.0f} 米：不小于一格，不大于 {WIDEST} 格。",
            input="radius_m",
        )  # fmt: skip
    return plan


def _size(inputs: Mapping[str, Any]) -> float:
    """Return about how wide a cell is, in metres."""
    if inputs.get("grid", "square") == "h3":
        return math.sqrt(3) * float(h3.average_hexagon_edge_length(int(inputs.get("resolution", 9)), unit="m"))
    return float(inputs.get("size_m", 500))


def _weight(source: Source, inputs: Mapping[str, Any]) -> Field | None:
    name = inputs.get("weight", "")
    found = source.field(name)
    if name and (found is None or found.kind not in ("whole", "number")):
        raise BadInput("field_not_number", f"“{source.title}”没有数字字段 {name}，请重新选。", input="weight")
    return found


def density(asked: Asked) -> Made:
    """Write the cells that have any, with how many features and how much per km²; areas and lines count at a point on them."""
    plan_density(asked.inputs, asked.scope)
    (side,) = loaded(asked, plan_sides("密度", asked.inputs, asked.scope, both=False)[1])
    weight = _weight(side.source, asked.inputs)
    fields = (
        Field("count", "个数", "whole"), Field("total", "合计" if weight is None else f"{weight.title}合计", "number"),
        Field("per_km2", "每平方公里", "number"),
    )  # fmt: skip
    radius = float(asked.inputs.get("radius_m", 0))
    said = GRIDS[asked.inputs.get("grid", "square")] + (f"，影响半径 {radius:g} 米" if radius else "")
    outcome = Outcome("密度", fields, 2, (side,), said)
    return write_result(asked, outcome, _dense(asked, side, weight, radius))


def _dense(asked: Asked, side: Side, weight: Field | None, radius: float) -> Iterator[Batch]:
    if not len(side.shapes):
        return
    points = shapely.get_coordinates(shapely.point_on_surface(side.shapes))
    much = np.array([1.0 if weight is None else _number(side.saying(at).get(weight.name)) for at in range(len(points))])
    grid = (_hexagons if asked.inputs.get("grid", "square") == "h3" else _squares)(asked, points, radius)
    shapes, of = grid
    if len(shapes) > MOST_CELLS:
        raise TooLarge("cells_too_many", f"格子超过 {MOST_CELLS:,} 个，请把格子放大，或缩小范围。", most=MOST_CELLS)
    count = np.bincount(of, minlength=len(shapes))
    total = np.bincount(of, weights=much, minlength=len(shapes))
    per = _spread(asked, points, much, shapes, radius) if radius else 1e6 * total / shapely.area(shapes)
    for at in range(0, len(shapes), AT_A_TIME):
        end = min(at + AT_A_TIME, len(shapes))
        told = [
            {"count": int(count[each]), "total": round(float(total[each]), 3), "per_km2": round(float(per[each]), 3)}
            for each in range(at, end)
        ]
        yield Batch([None] * (end - at), told, shapes[at:end])


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _squares(asked: Asked, points: Floats, radius: float) -> tuple[Shapes, npt.NDArray[np.intp]]:
    """Return the squares that points lie in, or whose middle may lie within the radius of one, and which each point lies in."""
    size = _size(asked.inputs)
    own = np.floor(points / size).astype(np.int64)
    wide = math.ceil(radius / size)
    around = np.stack(np.meshgrid(*[np.arange(-wide, wide + 1)] * 2), -1).reshape(-1, 2)
    there = np.unique(own, axis=0)
    if wide:
        kept = np.empty((0, 2), dtype=np.int64)
        for at in range(0, len(there), AT_A_TIME):
            some = (there[at : at + AT_A_TIME, None] + around[None]).reshape(-1, 2)
            kept = np.unique(np.concatenate([kept, some]), axis=0)
            _check_cells(len(kept))
            asked.step(0.4 + 0.1 * at / len(there), "正在铺格子")
        there = kept
    _check_cells(len(there))
    low = there * size
    shapes = shapely.box(low[:, 0], low[:, 1], low[:, 0] + size, low[:, 1] + size)
    index = {(int(x), int(y)): at for at, (x, y) in enumerate(there)}
    return shapes, np.array([index[int(x), int(y)] for x, y in own], dtype=np.intp)


def _check_cells(count: int) -> None:
    if count > 4 * MOST_CELLS:
        raise TooLarge("cells_too_many", f"格子超过 {MOST_CELLS:,} 个，请把格子放大，或缩小范围。", most=MOST_CELLS)


def _hexagons(asked: Asked, points: Floats, radius: float) -> tuple[Shapes, npt.NDArray[np.intp]]:
    """Return the cells that points lie in, or that lie about as near as the radius, and which each point lies in."""
    resolution = int(asked.inputs.get("resolution", 9))
    places = shapely.get_coordinates(from_plane(shapely.points(points), city_of()))
    own = [int(h3.latlng_to_cell(lat, lon, resolution)) for lon, lat in places]
    wide = math.ceil(1.2 * radius / _size(asked.inputs))
    there = set(own)
    if wide:
        for cell in sorted(there.copy()):
            there.update(int(each) for each in h3.grid_disk(cell, wide))
            _check_cells(len(there))
    cells = sorted(there)
    rings = [[(lon, lat) for lat, lon in h3.cell_to_boundary(cell)] for cell in cells]
    shapes = to_plane(np.array([shapely.Polygon(ring) for ring in rings], dtype=object), city_of())
    index = {cell: at for at, cell in enumerate(cells)}
    return shapes, np.array([index[cell] for cell in own], dtype=np.intp)


def _spread(asked: Asked, points: Floats, much: Floats, shapes: Shapes, radius: float) -> Floats:
    """Return how much there is per km² at the middle of each cell: points spread by a quartic kernel of the radius."""
    middles = shapely.centroid(shapes)
    tree, at_middle = shapely.STRtree(middles), shapely.get_coordinates(middles)
    found = np.zeros(len(shapes))
    peak = 3e6 / (math.pi * radius**2)
    for at in range(0, len(points), AT_A_TIME):
        some = points[at : at + AT_A_TIME]
        left, right = tree.query(shapely.points(some), predicate="dwithin", distance=radius)
        near = np.square((at_middle[right] - some[left]) / radius).sum(axis=1)
        share = peak * np.square(np.maximum(0.0, 1.0 - near)) * much[at : at + AT_A_TIME][left]
        found += np.bincount(right, weights=share, minlength=len(found))
        asked.step(0.5 + 0.4 * at / len(points), f"已算 {at:,} 个")
    return found


DENSITY: Final = ProcessSpec(
    key="density",
    title="密度",
    summary="每平方公里有多少个（或某个数字字段合计多少），按方格或六边形算；可以填影响半径，得到平滑的核密度。",
    keywords=("密度", "核密度", "density"),
    inputs={
        "grid": Input(
            "格子", {"type": "string", "enum": list(GRIDS), "default": "square"},
            "请用：" + "、".join(f"{key}（{said}）" for key, said in GRIDS.items()) + "。", required=False,
        ),
        "size_m": Input(
            "方格边长（米）", {"type": "number", "minimum": 50, "maximum": 10_000, "default": 500}, "50 到 10,000 米。",
            required=False,
        ),
        "resolution": Input(
            "六边形级别", {"type": "integer", "minimum": COARSEST, "maximum": FINEST, "default": 9},
            f"{COARSEST} 到 {FINEST} 级，越大越细。", required=False,
        ),
        "radius_m": Input(
            "影响半径（米）", {"type": "number", "minimum": 0, "maximum": 50_000, "default": 0},
            "0 是每格自己数；大于 0 是核密度。", required=False,
        ),
        "weight": Input("按哪个数字", {"type": "string", "maxLength": 60}, "数字字段的英文名；不写就数个数。", required=False),
        **ONE_SIDE,
    },
    result=RESULT,
    plan=plan_density,
    run=density,
    modes=("async", "sync"),
    duty=VIEW,
)  # fmt: skip
