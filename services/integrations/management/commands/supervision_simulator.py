"""Runs the simulator of the platform of supervision in the foreground, with invented facts of institutions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from pydantic import ValidationError

from services.integrations.supervision.schemas import Facts, Finding
from services.integrations.supervision.simulator import Simulator

DEFAULT_PORT = 8964
SECRET = "simulator-secret"


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动“互联网+监管”平台模拟器，给出编造的监管信息、接收评价，用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", help="给出哪些机构的监管信息：统一社会信用代码")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            facts = [invented_facts(code, timezone.localdate()) for code in options["codes"]]
        except ValidationError as fault:
            raise CommandError("统一社会信用代码是 18 位数字和大写字母。") from fault
        simulator = Simulator(app="simulator", secret=SECRET, port=options["port"], facts=facts)
        self.stdout.write(f"监管平台模拟器：{simulator.url}（Ctrl-C 停止），共 {len(facts)} 家。按下面的设置接通：")
        self.stdout.write(
            f"QUANTU_SUPERVISION_URL={simulator.url}\nQUANTU_SUPERVISION_APP=simulator\n"
            f"QUANTU_SUPERVISION_SECRET={SECRET}\nQUANTU_INSIDE_HOSTS=127.0.0.1"
        )
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")


def invented_facts(code: str, today: dt.date) -> Facts:
    """Return facts of an institution, made from its code."""
    chance = sum(map(ord, code))
    return Facts(
        credit_code=code,
        as_of=today,
        inspected_on=today - dt.timedelta(days=20 + chance % 90),
        finding=list(Finding)[chance % len(Finding)],
        grade=("一级", "二级", "三级")[chance % 3],
        credit=("A", "B")[chance % 2],
    )
