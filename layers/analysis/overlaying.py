"""叠加: what two sides have in common, what one has without the other, both together; slivers dropped and counted."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import shapely

from geo.errors import BadInput
from geo.scope import Scope
from layers.analysis.results import Batch, Outcome, write_result
from layers.analysis.shapes import Pause, blocks, common, pairs, prepared, remaining, worth
from layers.analysis.sides import FIRST, SECOND, loaded, prefixed, together, told_of
from layers.analysis.sources import TWO_SIDES, plan_sides
from layers.datasets.queries import VIEW
from layers.processes.features import RESULT
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

HOW: Final = {"intersect": "相交", "difference": "减去", "union": "合并", "symmetric": "对称差"}
SLIVER_M2: Final = 0.1
MOST_SLIVER_M2: Final = 10_000.0
SHORTEST_M: Final = 0.01
PAIRS: Final = 2_000
"""Pairs that are laid over each other in one go: one area may meet all of the other side."""
_ONLY_AREAS: Final = ("union", "symmetric")


def plan_overlay(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is laid over what. Raises what ``plan_sides`` raises, ``BadInput`` where a side has to be areas and is not."""
    plan, sources = plan_sides(f"叠加（{HOW[inputs['how']]}）", inputs, scope, both=True)
    _check_kinds(inputs["how"], *(source.dimension for source in sources))
    return plan


def _check_kinds(how: str, one: int | None, other: int | None) -> None:
    if other not in (2, None):
        raise BadInput("overlay_kind", "叠加的另一边要是面。请换一个面图层，或先做缓冲区。", input="with_layer")
    if how in _ONLY_AREAS and one not in (2, None):
        raise BadInput("overlay_kind", f"“{HOW[how]}”要两边都是面。点和线请用“相交”或“减去”。", input="layer")


def overlay(asked: Asked) -> Made:
    """Write the pieces that two sides make of each other, each with what both say."""
    how = asked.inputs["how"]
    one, other = loaded(asked, plan_sides("叠加", asked.inputs, asked.scope, both=True)[1])
    _check_kinds(how, *(side.dimension if len(side.shapes) else None for side in (one, other)))
    fields = prefixed(one.source, FIRST)
    if how != "difference":
        fields = together(one.source, (), other.source)
    said = f"“{one.source.title}”和“{other.source.title}”{HOW[how]}"
    outcome = Outcome(f"叠加（{HOW[how]}）", fields, one.dimension, (one, other), said)
    return write_result(asked, outcome, _overlaid(asked, how, outcome))


def _overlaid(asked: Asked, how: str, outcome: Outcome) -> Iterator[Batch]:
    one, other = outcome.sides
    sliver = float(asked.inputs.get("sliver_m2", SLIVER_M2))
    tree = prepared(other.shapes)
    both, mine = how in ("intersect", "union"), how != "intersect"
    rest = 0.5 if how in _ONLY_AREAS else 1.0
    for block in blocks(len(one.shapes)):
        share = 0.4 + 0.55 * rest * block.start / len(one.shapes)
        step = functools.partial(asked.step, share, f"已算 {block.start:,} 个")
        yield from _of_block(outcome, tree, block, sliver, step, both=both, mine=mine)
        asked.step(0.4 + 0.55 * rest * block.stop / len(one.shapes), f"已算 {block.stop:,} 个")
    if how in _ONLY_AREAS:
        tree = prepared(one.shapes)
        for block in blocks(len(other.shapes)):
            left, right = pairs(tree, other.shapes[block], "intersects")
            share = 0.675 + 0.275 * block.start / len(other.shapes)
            step = functools.partial(asked.step, share, f"另一边已算 {block.start:,} 个")
            shapes = remaining(other.shapes[block], one.shapes, left, right, step)
            yield _batch(outcome, shapes, sliver, [told_of(other, at, SECOND) for at in range(block.start, block.stop)])
            asked.step(0.675 + 0.275 * block.stop / len(other.shapes), f"另一边已算 {block.stop:,} 个")


def _of_block(
    outcome: Outcome, tree: shapely.STRtree, block: slice, sliver: float, step: Pause, *, both: bool, mine: bool
) -> Iterator[Batch]:
    """Yield what a block of the first side has in common with the other, and what it has alone."""
    one, other = outcome.sides
    shapes = one.shapes[block]
    left, right = pairs(tree, shapes, "intersects")
    own = [told_of(one, at, FIRST) for at in range(block.start, block.stop)]
    if both:
        for begin in range(0, len(left), PAIRS):
            of, to = left[begin : begin + PAIRS], right[begin : begin + PAIRS]
            told = [{**own[at], **told_of(other, on, SECOND)} for at, on in zip(of.tolist(), to.tolist(), strict=True)]
            yield _batch(outcome, common(shapes[of], other.shapes[to]), sliver, told)
            step()
    if mine:
        yield _batch(outcome, remaining(shapes, other.shapes, left, right, step), sliver, own)


def _batch(outcome: Outcome, shapes: Any, sliver: float, told: list[dict[str, Any]]) -> Batch:
    least = (0.0, SHORTEST_M, sliver)[outcome.dimension]
    kept, lost = worth(np.asarray(shapes, dtype=object), outcome.dimension, least)
    outcome.slivers += lost
    return Batch([None] * len(kept), told, kept)


OVERLAY: Final = ProcessSpec(
    key="overlay",
    title="叠加",
    summary="两个图层叠在一起：相交、减去、合并、对称差。每一块带着两边的属性，小于若干平方米的碎片去掉并报数。",
    keywords=("叠加", "相交", "overlay", "intersect", "difference", "union"),
    inputs={
        "how": Input(
            "怎么叠", {"type": "string", "enum": list(HOW)},
            "请用：" + "、".join(f"{key}（{said}）" for key, said in HOW.items()) + "。",
        ),
        "sliver_m2": Input(
            "碎片（平方米）", {"type": "number", "minimum": 0, "maximum": MOST_SLIVER_M2, "default": SLIVER_M2},
            f"比这小的块去掉，不写是 {SLIVER_M2:g}。", required=False,
        ),
        **TWO_SIDES,
    },
    result=RESULT,
    plan=plan_overlay,
    run=overlay,
    modes=("async", "sync"),
    duty=VIEW,
)  # fmt: skip
