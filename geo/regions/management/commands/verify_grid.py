"""``./run manage verify_grid FILE --order north_first``: hold the city's plane against official control points."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from geo.crs import Verification, read_control_points
from geo.crs.verification import TOLERANCE_M
from geo.errors import CityError
from geo.imports.readers.bytes import file_bytes, text_of
from geo.regions.queries import current_city

ORDERS: Final = {"north_first": "先北后东（测绘习惯的 X、Y）", "east_first": "先东后北"}


class Command(BaseCommand):
    """Print the residuals of control points on the city's plane, and whether they prove it. Exit code 1 when they do not."""

    help = "用控制点检验本市的平面坐标系：每行 点名,经度,纬度,平面坐标,平面坐标；不改动任何参数。"

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer the file, the order of its plane columns, and the tolerance."""
        parser.add_argument("file", type=Path, help="逗号或制表符分隔的控制点")
        parser.add_argument("--order", required=True, choices=list(ORDERS), help="平面坐标两列的顺序，须按成果说明填写")
        parser.add_argument("--tolerance", type=float, default=TOLERANCE_M, metavar="米", help="允许的中误差")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, verify, print; nothing is ever adjusted."""
        path, order, tolerance = options["file"], options["order"], options["tolerance"]
        if not tolerance > 0:
            raise CommandError("允许的中误差要大于 0 米。")
        if not path.is_file():
            raise CommandError(f"找不到文件：{path}")
        plane = current_city().plane
        try:
            text, _ = text_of(file_bytes(path), path.name)
            proof = plane.verify(read_control_points(text.splitlines(), order), tolerance)
        except CityError as fault:
            raise CommandError(fault.message) from fault
        self.stdout.write(f"{plane.name}（参数来源：{plane.provenance}）")
        self.stdout.write(f"控制点 {proof.count} 个，平面坐标 {ORDERS[order]}")
        for line in _told(proof, tolerance):
            self.stdout.write(line)
        if not proof.verified:
            sys.exit(1)


def _told(proof: Verification, tolerance_m: float) -> list[str]:
    rows = [
        f"  {each.name}\t东 {each.east_m:+.3f}\t北 {each.north_m:+.3f}\t合 {each.distance_m:.3f}"
        for each in proof.residuals
    ]
    return [
        "残差（官方值减计算值，米）：",
        *rows,
        f"中误差 {proof.rms_m:.3f} 米，最大 {proof.max_m:.3f} 米（允许 {tolerance_m:g} 与 {3 * tolerance_m:g}）",
        *(f"✗ {objection}" for objection in proof.objections),
        "结论：验证通过，控制点证明了这组参数。" if proof.verified else "结论：没有通过验证，参数未作任何改动。",
    ]
