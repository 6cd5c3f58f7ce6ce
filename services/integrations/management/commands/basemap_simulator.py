"""Runs the simulator of a server of imagery in the foreground."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from services.integrations.basemaps.simulator import Simulator

DEFAULT_PORT = 8967
KEY = "simulator-key"


class Command(BaseCommand):
    """Serve until Ctrl-C; says what to fill in at 底图."""

    help = "启动卫星影像和倾斜摄影的模拟器（WMTS 和 XYZ），用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        simulator = Simulator(key=KEY, port=options["port"])
        self.stdout.write(
            f"底图模拟器：{simulator.url}（Ctrl-C 停止）。先设置 QUANTU_INSIDE_HOSTS=127.0.0.1，再到“底图”里填："
        )
        self.stdout.write(
            f"卫星影像（WMTS）：{simulator.url}/img_w/wmts，图层 img；注记 {simulator.url}/cia_w/wmts，图层 cia\n"
            f"倾斜摄影（XYZ）：{simulator.url}/xyz/oblique/{{z}}/{{x}}/{{y}}.jpg\n参数名 tk，密钥 {KEY}"
        )
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")
