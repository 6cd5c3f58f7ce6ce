"""Runs the simulator of 一张图 in the foreground, with the addresses it is told."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from services.integrations.onemap.simulator import Door, Simulator

DEFAULT_PORT = 8966
SECRET = "simulator-secret"


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动“一张图”后台模拟器：地址和位置互查，接收围栏和预约位置，用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("doors", nargs="*", help="它认识的地址：地址@东,北（上海2000，米）")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        doors = [_door(text) for text in options["doors"]]
        simulator = Simulator(app="simulator", secret=SECRET, port=options["port"], doors=doors)
        self.stdout.write(f"“一张图”模拟器：{simulator.url}（Ctrl-C 停止），共 {len(doors)} 个地址。按下面的设置接通：")
        self.stdout.write(
            f"QUANTU_ONE_MAP_URL={simulator.url}\nQUANTU_ONE_MAP_APP=simulator\n"
            f"QUANTU_ONE_MAP_SECRET={SECRET}\nQUANTU_INSIDE_HOSTS=127.0.0.1"
        )
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")


def _door(text: str) -> Door:
    try:
        address, _, point = text.rpartition("@")
        x, y = (float(each) for each in point.split(","))
    except ValueError:
        raise CommandError("地址要写成 地址@东,北，例如 黄浦区艾家弄86号@1500,-1200。") from None
    return Door(address, x, y)
