"""``./run manage load_city``: generate the invented city and publish it, so that there is something to see at once."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fixtures.city import DEFAULT_SEED
from fixtures.load import load

WAIT_S: Final = 900.0


class Command(BaseCommand):
    """Load the invented city; repeating it with the same scale and seed does nothing."""

    requires_system_checks = []  # migrate has just run them all
    help = "Generate and publish the invented city (marked 演示数据 everywhere)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer scale and seed."""
        parser.add_argument("--scale", choices=["tiny", "demo"], default="demo")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument(
            "--await", type=Path, dest="awaited", help="leave the database alone until this file exists"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, print progress, and fail when the city was not published."""
        begun = time.monotonic()
        ready = partial(_wait_for, options["awaited"]) if options["awaited"] else None
        reports = load(
            scale=options["scale"], seed=options["seed"], told=lambda line: self._tell(begun, line), ready=ready
        )
        doubts = [doubt for report in reports for doubt in report.doubts]
        if any(doubt["code"] == "real_published" for doubt in doubts):
            self._tell(begun, "已经发布了真实数据，演示城市不再载入。")
        elif doubts:
            raise CommandError("演示城市没有发布：" + "；".join(doubt["message"] for doubt in doubts))
        elif reports:
            rows = sum(report.rows_accepted for report in reports)
            self._tell(begun, f"演示城市已发布，共 {rows} 行。")

    def _tell(self, begun: float, line: str) -> None:
        self.stdout.write(f"[{time.monotonic() - begun:5.1f} 秒] {line}")
        self.stdout.flush()


def _wait_for(file: Path) -> None:
    until = time.monotonic() + WAIT_S
    while not file.exists():
        if time.monotonic() > until:
            raise CommandError(f"等了 {WAIT_S / 60:.0f} 分钟，数据库还没有准备好，演示城市没有载入。请重新运行 ./run。")
        time.sleep(0.05)
