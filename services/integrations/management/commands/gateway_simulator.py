"""Runs the simulator of the security authentication gateway in the foreground."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from services.integrations.gateway.simulator import Simulator

DEFAULT_PORT = 8963


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it, and writes its root certificate."""

    help = "启动安全认证网关模拟器（带一个小型认证中心），用于联调和演练；证书和会话只在内存里。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        parser.add_argument("--root", type=Path, help="把根证书（PEM）写到这个文件")

    def handle(self, *args: Any, **options: Any) -> None:
        app, secret = settings.GATEWAY_APP or "simulator", settings.GATEWAY_SECRET or "simulator-secret"
        simulator = Simulator(app=app, secret=secret, port=options["port"])
        self.stdout.write(f"安全认证网关模拟器：{simulator.url}（Ctrl-C 停止）。按下面的设置接通：")
        self.stdout.write(f"QUANTU_GATEWAY_URL={simulator.url}\nQUANTU_GATEWAY_APP={app}")
        self.stdout.write("QUANTU_INSIDE_HOSTS=127.0.0.1\nQUANTU_GATEWAY_SECRET 用与模拟器相同的值。")
        if options["root"]:
            text = base64.encodebytes(simulator.authority.root.der).decode("ascii")
            options["root"].write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
            self.stdout.write(f"QUANTU_GATEWAY_ROOTS={options['root'].resolve()}")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")
