"""临近 and 包含、穿越: features of one side by how they lie to those of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import BadInput
from geo.scope import Scope
from layers.analysis.results import Batch, Outcome, write_result
from layers.analysis.shapes import Places, blocks, nearest, pairs, prepared, ranks
from layers.analysis.sides import FIRST, SECOND, loaded, prefixed, together, told_of
from layers.analysis.sources import NOUNS, TWO_SIDES, Field, Side, plan_sides
from layers.datasets.queries import VIEW
from layers.processes.features import RESULT
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

FARTHEST_M: Final = 50_000.0
MOST_NEAREST: Final = 10
RELATIONS: Final = {
    "contains": ("包含", "covers"),
    "within": ("在其中", "covered_by"),
    "crosses": ("穿越", "crosses"),
    "intersects": ("相交", "intersects"),
    "touches": ("相接", "touches"),
    "overlaps": ("部分重叠", "overlaps"),
    "disjoint": ("不相交", "intersects"),
}
"""What each relation is called, and how trees are asked for it; what lies on the border is inside."""


def plan_near(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is near what. Raises what ``plan_sides`` raises."""
    return plan_sides("临近", inputs, scope, both=True)[0]


def near(asked: Asked) -> Made:
    """Write the features of one side that have some of the other within a distance, once with each of the nearest."""
    _, sources = plan_sides("临近", asked.inputs, asked.scope, both=True)
    metres, count = float(asked.inputs["metres"]), int(asked.inputs.get("count", 1))
    one, other = loaded(asked, sources)
    own = (Field("rank", "第几近", "whole"), Field("metres", "距离（米）", "number"))
    fields = together(one.source, own, other.source)
    said = f"{metres:g} 米以内，最近的 {count} 个"
    outcome = Outcome("临近", fields, one.dimension, (one, other), said)
    return write_result(asked, outcome, _near(asked, one, other, metres, count))


def _near(asked: Asked, one: Side, other: Side, metres: float, count: int) -> Iterator[Batch]:
    tree = prepared(other.shapes)
    first = _usual(other, count)
    apart = _apart(one, other)
    for block in blocks(len(one.shapes) if len(other.shapes) else 0):
        mine = None if apart is None else lambda left, right, at=block.start: apart(left + at, right)
        left, right, far = nearest(tree, one.shapes[block], count=count, farthest=metres, first=first, apart=mine)
        rank = ranks(left)
        yield Batch(
            [None] * len(left),
            [
                {**told_of(one, int(at) + block.start, FIRST), "rank": int(nth), "metres": round(float(distance), 3),
                 **told_of(other, int(to), SECOND)}
                for at, to, nth, distance in zip(left, right, rank, far, strict=True)
            ],
            one.shapes[left + block.start],
        )  # fmt: skip
        asked.step(0.4 + 0.55 * block.stop / len(one.shapes), f"已算 {block.stop:,} 个")


def _usual(side: Side, count: int) -> float:
    """Return how far the nearest few of a side would lie, were it spread evenly."""
    if not len(side.shapes):
        return 1.0
    west, south, east, north = shapely.total_bounds(side.shapes)
    return math.sqrt((count + 1) * max(1.0, (east - west) * (north - south)) / (math.pi * len(side.shapes)))


def _apart(one: Side, other: Side) -> Any:
    """Return what says which pairs are of two different features; none where all are."""
    if one.source.key != other.source.key or one.source.key == "features":
        return None
    # what has no id, as pieces have none, is itself only
    known = [at if pk is None else f"#{pk}" for at, pk in enumerate(one.ids)]
    theirs = [at if pk is None else f"#{pk}" for at, pk in enumerate(other.ids)]
    mine, others = np.array(known, dtype=object), np.array(theirs, dtype=object)

    def differ(left: Places, right: Places) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (mine[left] != others[right]).astype(np.bool_)
        return found

    return differ


def plan_relate(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what stands in which relation. Raises what ``plan_sides`` raises, ``BadInput`` for a relation that cannot hold."""
    plan, sources = plan_sides(RELATIONS[inputs["relation"]][0], inputs, scope, both=True)
    _check_relation(inputs["relation"], *(source.dimension for source in sources))
    return plan


def _check_relation(relation: str, one: int | None, other: int | None) -> None:
    """Raise ``BadInput`` for a relation that shapes of these dimensions never stand in."""
    if one is None or other is None:
        return
    never = {
        "crosses": one == other != 1,
        "contains": one < other,
        "within": one > other,
        "overlaps": one != other,
        "touches": one == other == 0,
    }
    if never.get(relation):
        said, what = RELATIONS[relation][0], f"{NOUNS[one]}和{NOUNS[other]}"
        raise BadInput(
            "relation_never", f"{what}之间没有“{said}”，请改选“相交”，或把两个图层换个位置。", input="relation"
        )


def relate(asked: Asked) -> Made:
    """Write the features of one side that stand in a relation to some of the other: to how many, and what the first says."""
    plan_relate(asked.inputs, asked.scope)
    relation = asked.inputs["relation"]
    said, predicate = RELATIONS[relation]
    one, other = loaded(asked, plan_sides(said, asked.inputs, asked.scope, both=True)[1])
    _check_relation(relation, *(side.dimension if len(side.shapes) else None for side in (one, other)))
    fields = prefixed(one.source, FIRST)
    if relation != "disjoint":
        fields = together(one.source, (Field("matches", f"{said}几个", "whole"),), other.source)
    outcome = Outcome(said, fields, one.dimension, (one, other), f"“{one.source.title}”{said}“{other.source.title}”")
    return write_result(asked, outcome, _related(asked, one, other, predicate, none=relation == "disjoint"))


def _related(asked: Asked, one: Side, other: Side, predicate: str, *, none: bool) -> Iterator[Batch]:
    tree = prepared(other.shapes)
    apart = _apart(one, other)
    for block in blocks(len(one.shapes)):
        left, right = pairs(tree, one.shapes[block], predicate)
        if apart is not None:
            kept = apart(left + block.start, right)
            left, right = left[kept], right[kept]
        there, begins, counts = np.unique(left, return_index=True, return_counts=True)
        if none:
            there = np.setdiff1d(np.arange(block.stop - block.start), there)
            said = [told_of(one, int(at) + block.start, FIRST) for at in there]
        else:
            said = [
                {**told_of(one, int(at) + block.start, FIRST), "matches": int(count), **told_of(other, int(right[begin]), SECOND)}
                for at, begin, count in zip(there, begins, counts, strict=True)
            ]  # fmt: skip
        places = there + block.start
        yield Batch([one.ids[int(at)] for at in places], said, one.shapes[places])
        asked.step(0.4 + 0.55 * block.stop / len(one.shapes), f"已算 {block.stop:,} 个")


NEAR: Final = ProcessSpec(
    key="near",
    title="临近",
    summary="找出一个图层里离另一个图层不超过若干米的要素，每个写明最近的几个和距离；按本市平面坐标量。",
    keywords=("临近", "最近", "near"),
    inputs={
        "metres": Input(
            "多少米以内", {"type": "number", "exclusiveMinimum": 0, "maximum": FARTHEST_M}, f"最多 {FARTHEST_M:,.0f} 米。"
        ),
        "count": Input(
            "每个找最近的几个", {"type": "integer", "minimum": 1, "maximum": MOST_NEAREST, "default": 1},
            f"1 到 {MOST_NEAREST} 个，不写是 1。", required=False,
        ),
        **TWO_SIDES,
    },
    result=RESULT,
    plan=plan_near,
    run=near,
    modes=("async", "sync"),
    duty=VIEW,
)  # fmt: skip
RELATE: Final = ProcessSpec(
    key="relate",
    title="包含和穿越",
    summary="找出一个图层里包含、在其中、穿越、相交、相接、部分重叠或不相交于另一个图层的要素；边界上的算在内。",
    keywords=("包含", "穿越", "相交", "within", "crosses"),
    inputs={
        "relation": Input(
            "关系", {"type": "string", "enum": list(RELATIONS)},
            "请用：" + "、".join(f"{key}（{said}）" for key, (said, _) in RELATIONS.items()) + "。",
        ),
        **TWO_SIDES,
    },
    result=RESULT,
    plan=plan_relate,
    run=relate,
    modes=("async", "sync"),
    duty=VIEW,
)  # fmt: skip
