"""Reading official control points from a table, in an order of plane columns that must be declared."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from geo.crs.codes import System
from geo.crs.faults import BadGrid, BadPoint
from geo.crs.parsing import AxisOrder, parse_point
from geo.crs.verification import ControlPoint


def read_control_points(lines: Iterable[str], order: AxisOrder) -> tuple[ControlPoint, ...]:
    """Return the control points of comma or tab separated lines: name, longitude, latitude, and two plane coordinates.

    Degrees may be decimal or sexagesimal; ``order`` declares whether the plane columns are (east, north) or, as surveyors
    write, (north, east). A first line without numbers is a heading. Raises ``BadGrid`` naming the row (from 1).
    """
    found: list[ControlPoint] = []
    text = list(lines)
    separator = "\t" if any("\t" in line for line in text) else ","
    for row, cells in enumerate(csv.reader(text, delimiter=separator), start=1):
        fields = [cell.strip() for cell in cells]
        if not any(fields) or (row == 1 and not any(cell[:1].isdigit() for cell in fields[1:])):
            continue
        found.append(_control_point(row, fields, order))
    return tuple(found)


def _control_point(row: int, fields: list[str], order: AxisOrder) -> ControlPoint:
    if len(fields) != 5:
        raise BadGrid(
            "control_point_columns",
            f"控制点第 {row} 行应有 5 列（点名、经度、纬度、两个平面坐标），实际 {len(fields)} 列。",
            row=row,
        )
    name, lon, lat, *plane = fields
    try:
        mark = parse_point(f"{lon}, {lat}", System.CGCS2000)
        first, second = float(plane[0]), float(plane[1])
    except BadPoint as fault:
        raise BadGrid("control_point_degrees", f"控制点第 {row} 行经纬度有误：{fault.message}", row=row) from fault
    except ValueError as fault:
        raise BadGrid(
            "control_point_metres", f"控制点第 {row} 行的平面坐标不是数字，请填写以米为单位的数。", row=row
        ) from fault
    east, north = (second, first) if order == "north_first" else (first, second)
    return ControlPoint(name, mark.x, mark.y, east, north)
