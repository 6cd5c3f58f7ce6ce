"""The spatial processes: buffers in metres on the city's plane, and features in another coordinate system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import shapely

from geo.crs import System
from geo.errors import BadInput
from geo.geometry import from_plane, to_plane
from geo.scope import Scope
from layers.exports.formats import SYSTEMS
from layers.processes.features import (
    RESULT,
    SOURCE_INPUTS,
    Piece,
    city_of,
    joined,
    pieces_of,
    plan_source,
    write_features,
)
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

GEOJSON: Final = "application/geo+json"
FARTHEST_M: Final = 20_000.0
ROUND: Final = 16
"""Segments of a quarter circle: the edge lies within half a per cent of the distance."""


def plan_buffer(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is buffered. Raises what ``plan_source`` raises, and ``BadInput`` for a distance of nothing."""
    if inputs["metres"] == 0:
        raise BadInput("distance_zero", "距离要写米数：正数向外，负数（只对面）向里。", input="metres")
    return plan_source("缓冲区", inputs, scope)


def buffer(asked: Asked) -> Made:
    """Write the buffers of features, one each or all joined into one."""
    total = max(plan_buffer(asked.inputs, asked.scope).rows, 1)
    pieces = _buffered(asked, float(asked.inputs["metres"]), total)
    if asked.inputs.get("dissolve", False):
        pieces = _dissolved(pieces, float(asked.inputs["metres"]))
    return _made(asked, pieces, "缓冲区")


def _buffered(asked: Asked, metres: float, total: int) -> Iterator[Piece]:
    city, done = city_of(), 0
    for piece in pieces_of(asked):
        grown = shapely.buffer(to_plane(piece.shapes, city), metres, quad_segs=ROUND)
        there = [at for at, shape in enumerate(grown) if not shape.is_empty]  # what shrank to nothing is left out
        shapes = from_plane(grown[there], city) if there else grown[:0]
        yield Piece([piece.ids[at] for at in there], [piece.properties[at] for at in there], shapes)
        done += len(piece.ids)
        asked.step(0.95 * min(1.0, done / total), f"已处理 {done:,} 个")


def _dissolved(pieces: Iterator[Piece], metres: float) -> Iterator[Piece]:
    parts, count = [], 0
    for piece in pieces:
        count += len(piece.ids)
        if count:
            parts.append(joined(list(piece.shapes)))
    if parts:
        yield Piece([None], [{"count": count, "metres": metres}], np.array([joined(parts)], dtype=object))


def plan_reproject(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is put into another system."""
    return plan_source("坐标转换", inputs, scope)


def reproject(asked: Asked) -> Made:
    """Write features in another coordinate system."""
    total = max(plan_reproject(asked.inputs, asked.scope).rows, 1)
    return _made(asked, _told(asked, total), "坐标转换", System.parse(asked.inputs["crs"]))


def _told(asked: Asked, total: int) -> Iterator[Piece]:
    done = 0
    for piece in pieces_of(asked):
        yield piece
        done += len(piece.ids)
        asked.step(0.95 * min(1.0, done / total), f"已处理 {done:,} 个")


def _made(asked: Asked, pieces: Iterator[Piece], title: str, system: System = System.WGS84) -> Made:
    path = asked.folder / "result.geojson"
    count = write_features(path, pieces, system)
    return Made(path, f"{title}.geojson", GEOJSON, count, {"crs": str(system)})


BUFFER: Final = ProcessSpec(
    key="buffer",
    title="缓冲区",
    summary="把图层里的要素或带来的 GeoJSON 向外扩若干米（面也可以向里缩），按本市平面坐标量；可以合并成一片。结果是 WGS-84。",
    keywords=("缓冲区", "范围", "buffer"),
    inputs={
        "metres": Input(
            "距离（米）",
            {"type": "number", "minimum": -FARTHEST_M, "maximum": FARTHEST_M},
            f"最多 {FARTHEST_M:,.0f} 米。",
        ),
        "dissolve": Input("合并成一片", {"type": "boolean", "default": False}, required=False),
        **SOURCE_INPUTS,
    },
    result=RESULT,
    plan=plan_buffer,
    run=buffer,
    modes=("sync", "async"),
)
REPROJECT: Final = ProcessSpec(
    key="reproject",
    title="坐标转换",
    summary="把图层里的要素或带来的 GeoJSON（WGS-84）换到另一个坐标系；上海2000 按本市参数。GCJ-02、BD-09 不能整批转换。",
    keywords=("坐标系", "投影", "上海2000"),
    inputs={
        "crs": Input(
            "换到", {"type": "string", "enum": [str(one) for one in SYSTEMS]}, f"请用：{'、'.join(SYSTEMS)}。"
        ),
        **SOURCE_INPUTS,
    },
    result=RESULT,
    plan=plan_reproject,
    run=reproject,
    modes=("sync", "async"),
)
