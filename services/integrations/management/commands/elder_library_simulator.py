"""Runs the simulator of the city's library of elders in the foreground, with invented figures for every published region."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from geo.regions.queries import versions_of
from geo.scope import Scope
from services.integrations.elder_library.schemas import Figure
from services.integrations.elder_library.simulator import Simulator

DEFAULT_PORT = 8962
SECRET = "simulator-secret"


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动全市养老专题库模拟器，按已发布的街镇和居村给出编造的老年人口，用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        simulator = Simulator(
            app="simulator", secret=SECRET, port=options["port"], as_of=timezone.localdate(), figures=invented_figures()
        )
        self.stdout.write(
            f"养老专题库模拟器：{simulator.url}（Ctrl-C 停止），共 {len(simulator.figures)} 条。按下面的设置接通："
        )
        self.stdout.write(
            f"QUANTU_ELDERS_URL={simulator.url}\nQUANTU_ELDERS_APP=simulator\nQUANTU_ELDERS_SECRET={SECRET}"
        )
        self.stdout.write("QUANTU_INSIDE_HOSTS=127.0.0.1")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")


def invented_figures() -> list[Figure]:
    """Return a figure for every published committee, made from its code, and their sums for the streets."""
    committees: dict[str, int] = {}
    rows = versions_of(scope=Scope.public()).filter(level__in=("street", "committee")).values_list("code", "level")
    streets = []
    for code, level in rows:
        if level == "street":
            streets.append(code)
        elif len(code) == 12:
            committees[code] = 400 + int(code[6:]) * 37 % 900
    for street in streets:
        below = [count for code, count in committees.items() if code.startswith(street)]
        committees[street] = sum(below) or 5_000
    return [
        Figure(region_code=code, over_60=count, over_80=count // 5, alone=count // 9)
        for code, count in sorted(committees.items())
        if len(code) in (9, 12)
    ]
