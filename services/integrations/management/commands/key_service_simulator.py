"""Runs the simulator of the key and signature service in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from services.integrations.keyservice.simulator import Simulator

DEFAULT_PORT = 8962


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动密码服务平台模拟器，用于联调和演练；密钥存放在 --folder 指定的目录。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        app, secret = settings.KEY_SERVICE_APP or "simulator", settings.KEY_SERVICE_SECRET or "simulator-secret"
        simulator = Simulator(app=app, secret=secret, folder=options["folder"], port=options["port"])
        self.stdout.write(f"密码服务平台模拟器：{simulator.url}（Ctrl-C 停止）。按下面的设置接通：")
        self.stdout.write(f"QUANTU_KEY_SERVICE_URL={simulator.url}\nQUANTU_KEY_SERVICE_APP={app}")
        self.stdout.write("QUANTU_INSIDE_HOSTS=127.0.0.1\nQUANTU_KEY_SERVICE_SECRET 用与模拟器相同的值。")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")
