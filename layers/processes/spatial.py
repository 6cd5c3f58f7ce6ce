"""Features in another coordinate system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from geo.crs import System
from geo.scope import Scope
from layers.exports.formats import SYSTEMS
from layers.processes.features import (
    RESULT,
    SOURCE_INPUTS,
    Piece,
    pieces_of,
    plan_source,
    write_features,
)
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec

GEOJSON: Final = "application/geo+json"


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
