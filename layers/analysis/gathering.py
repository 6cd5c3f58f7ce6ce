"""Operations on one side: 缓冲区 in metres, and 融合 by what features say, with sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import shapely

from geo.errors import BadInput
from geo.scope import Scope
from layers.analysis.results import Batch, Outcome, write_result
from layers.analysis.shapes import blocks, grown, united, worth
from layers.analysis.sides import loaded
from layers.analysis.sources import ONE_SIDE, Field, Side, Source, plan_sides
from layers.datasets.queries import VIEW
from layers.processes.features import RESULT
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

FARTHEST_M: Final = 20_000.0
MOST_RINGS: Final = 10
ROUND: Final = 16
"""Segments of a quarter circle: the edge lies within half a per cent of the distance."""
ENDS: Final = {"round": "圆头", "flat": "平头", "square": "方头"}
MOST_SUMS: Final = 10
LEAST_M2: Final = 0.001
"""Rings and unions leave no smaller parts."""


def plan_buffer(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is buffered. Raises ``BadInput`` for a distance of nothing or rings that go inwards."""
    metres, rings = inputs["metres"], inputs.get("rings", 1)
    if metres == 0:
        raise BadInput("distance_zero", "距离要写米数：正数向外，负数（只对面）向里。", input="metres")
    if rings > 1 and (metres < 0 or metres * rings > FARTHEST_M):
        raise BadInput("rings_unfit", f"几圈时距离要是正数，几圈合起来最多 {FARTHEST_M:,.0f} 米。", input="rings")
    return plan_sides("缓冲区", inputs, scope, both=False)[0]


def buffer(asked: Asked) -> Made:
    """Write the buffers of features, one each or all joined, in one ring or several of the same width."""
    plan_buffer(asked.inputs, asked.scope)
    metres, rings = float(asked.inputs["metres"]), int(asked.inputs.get("rings", 1))
    (side,) = loaded(asked, plan_sides("缓冲区", asked.inputs, asked.scope, both=False)[1])
    joined = asked.inputs.get("dissolve", False)
    fields = (Field("count", "合并了几个", "whole"),) if joined else side.source.fields
    if joined or rings > 1:
        fields = (*fields, Field("metres", "距离（米）", "number"))
    if rings > 1:
        fields = (*fields, Field("from_metres", "从（米）", "number"))
    said = f"{metres:g} 米{f' × {rings} 圈' if rings > 1 else ''}{'，合并成一片' if joined else ''}"
    outcome = Outcome("缓冲区", fields, 2, (side,), said)
    made = _joined if joined else _apart
    return write_result(asked, outcome, made(asked, side, metres, rings))


def _grown(asked: Asked, shapes: Any, metres: float, share: float) -> Any:
    ends = asked.inputs.get("ends", "round")
    return grown(shapes, metres, segments=ROUND, ends=ends, step=lambda: asked.step(share, "正在做缓冲区"))


def _apart(asked: Asked, side: Side, metres: float, rings: int) -> Iterator[Batch]:
    for block in blocks(len(side.shapes)):
        said = [side.saying(at) for at in range(block.start, block.stop)]
        inner = None
        for ring in range(1, rings + 1):
            outer = _grown(asked, side.shapes[block], ring * metres, 0.4 + 0.55 * block.start / len(side.shapes))
            shapes = outer if inner is None else shapely.difference(outer, inner)
            told = {"metres": ring * metres, "from_metres": (ring - 1) * metres} if rings > 1 else {}
            ids = side.ids[block] if rings == 1 else [None] * len(said)
            yield Batch(ids, [{**one, **told} for one in said], worth(shapes, 2, 0.0)[0])
            inner = outer
        asked.step(0.4 + 0.55 * block.stop / len(side.shapes), f"已处理 {block.stop:,} 个")


def _joined(asked: Asked, side: Side, metres: float, rings: int) -> Iterator[Batch]:
    if not len(side.shapes):
        return
    inner = None
    for ring in range(1, rings + 1):
        begin, share = 0.4 + 0.55 * (ring - 1) / rings, 0.55 / rings
        outer = _union(asked, _grown(asked, side.shapes, ring * metres, begin), begin, share)
        whole = outer if inner is None else shapely.difference(outer, inner)
        told: dict[str, Any] = {"count": len(side.shapes), "metres": ring * metres}
        if rings > 1:
            told["from_metres"] = (ring - 1) * metres
        yield Batch([None], [told], worth(np.array([whole], dtype=object), 2, LEAST_M2)[0])
        inner = outer


def _union(asked: Asked, shapes: Any, begin: float, share: float) -> Any:
    return united(shapes, lambda done: asked.step(begin + share * done, f"正在合并，{done:.0%}"))


def plan_dissolve(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is dissolved. Raises ``BadInput`` for points, or for fields that there are not or that are no numbers."""
    plan, (source,) = plan_sides("融合", inputs, scope, both=False)
    _check_areas(source.dimension)
    _by(source, inputs), _sums(source, inputs)
    return plan


def _check_areas(dimension: int | None) -> None:
    if dimension == 0:
        raise BadInput("dissolve_points", "点合不成一片。请先做缓冲区，或用“密度”。", input="layer")


def _by(source: Source, inputs: Mapping[str, Any]) -> Field | None:
    name = inputs.get("by", "")
    found = source.field(name)
    if name and found is None:
        known = "、".join(one.name for one in source.fields[:20])
        raise BadInput("field_unknown", f"“{source.title}”没有字段 {name}。有：{known}。", input="by")
    return found


def _sums(source: Source, inputs: Mapping[str, Any]) -> list[Field]:
    found = [source.field(name) for name in dict.fromkeys(inputs.get("sums", []))]
    numbers = [one for one in found if one is not None and one.kind in ("whole", "number")]
    if len(numbers) != len(found):
        raise BadInput("field_not_number", "要加总的字段里有的没有，或不是数字。请重新选。", input="sums")
    return numbers


def dissolve(asked: Asked) -> Made:
    """Write the features that say the same as one each, with how many they were and their sums."""
    plan_dissolve(asked.inputs, asked.scope)
    (side,) = loaded(asked, plan_sides("融合", asked.inputs, asked.scope, both=False)[1])
    if len(side.shapes):
        _check_areas(side.dimension)
    by, sums = _by(side.source, asked.inputs), _sums(side.source, asked.inputs)
    fields = (
        *((by,) if by else ()), Field("count", "融合了几个", "whole"),
        *(Field(f"sum_{one.name}", f"{one.title}合计", "number") for one in sums),
    )  # fmt: skip
    said = f"按“{by.title}”融合" if by else "全部融合成一片"
    outcome = Outcome("融合", fields, side.dimension, (side,), said)
    return write_result(asked, outcome, _dissolved(asked, side, by, sums))


def _dissolved(asked: Asked, side: Side, by: Field | None, sums: list[Field]) -> Iterator[Batch]:
    groups: dict[Any, list[int]] = {}
    totals: dict[Any, dict[str, float | None]] = {}
    for at in range(len(side.shapes)):
        said = side.saying(at)
        value = said.get(by.name) if by else None
        groups.setdefault(value, []).append(at)
        mine = totals.setdefault(value, {one.name: None for one in sums})
        for one in sums:
            if isinstance(said.get(one.name), int | float):
                mine[one.name] = (mine[one.name] or 0) + said[one.name]
    done = 0
    for value, places in groups.items():
        begin, share = 0.4 + 0.55 * done / len(side.shapes), 0.55 * len(places) / len(side.shapes)
        whole = _union(asked, side.shapes[places], begin, share)
        told = {**({by.name: value} if by else {}), "count": len(places)}
        told |= {f"sum_{name}": total for name, total in totals[value].items()}
        yield Batch([None], [told], worth(np.array([whole], dtype=object), side.dimension, 0.0)[0])
        done += len(places)


BUFFER: Final = ProcessSpec(
    key="buffer",
    title="缓冲区",
    summary=(
        "把图层里的要素或带来的 GeoJSON 向外扩若干米（面也可以向里缩），按本市平面坐标量；可以分几圈，可以合并成一片。"
        "结果是 WGS-84。"
    ),
    keywords=("缓冲区", "范围", "buffer"),
    inputs={
        "metres": Input(
            "距离（米）", {"type": "number", "minimum": -FARTHEST_M, "maximum": FARTHEST_M}, f"最多 {FARTHEST_M:,.0f} 米。",
        ),
        "rings": Input(
            "圈数", {"type": "integer", "minimum": 1, "maximum": MOST_RINGS, "default": 1},
            f"每圈同样宽，1 到 {MOST_RINGS} 圈。", required=False,
        ),
        "ends": Input(
            "线的两端", {"type": "string", "enum": list(ENDS), "default": "round"},
            "请用：" + "、".join(f"{key}（{said}）" for key, said in ENDS.items()) + "。", required=False,
        ),
        "dissolve": Input("合并成一片", {"type": "boolean", "default": False}, required=False),
        **ONE_SIDE,
    },
    result=RESULT,
    plan=plan_buffer,
    run=buffer,
    modes=("sync", "async"),
)  # fmt: skip
DISSOLVE: Final = ProcessSpec(
    key="dissolve",
    title="融合",
    summary="把一个图层里某个字段相同的面或线合成一个，写明合了几个，数字字段可以加总；不写字段就全部合成一片。",
    keywords=("融合", "合并", "dissolve"),
    inputs={
        "by": Input("按哪个字段", {"type": "string", "maxLength": 60}, "字段的英文名；不写就全部合成一片。", required=False),
        "sums": Input(
            "加总哪些字段", {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": MOST_SUMS},
            "数字字段的英文名。", required=False,
        ),
        **ONE_SIDE,
    },
    result=RESULT,
    plan=plan_dissolve,
    run=dissolve,
    modes=("async", "sync"),
    duty=VIEW,
)  # fmt: skip
