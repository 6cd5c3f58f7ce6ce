"""Runs the simulator of the short-message gateway in the foreground."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from services.integrations.sms.simulator import MAGIC, Simulator

DEFAULT_PORT = 8960


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动短信平台模拟器，用于联调和演练；不发送任何真实短信。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        parser.add_argument(
            "--callback", default="", help="回执推送地址，例如 http://127.0.0.1:8000/api/v1/messages/receipts"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        app, secret = settings.SMS_APP or "simulator", settings.SMS_SECRET or "simulator-secret"
        simulator = Simulator(app=app, secret=secret, port=options["port"], callback=options["callback"])
        self.stdout.write(f"短信平台模拟器：{simulator.url}（Ctrl-C 停止）。按下面的设置接通：")
        self.stdout.write(f"QUANTU_SMS_URL={simulator.url}\nQUANTU_SMS_APP={app}\nQUANTU_INSIDE_HOSTS=127.0.0.1")
        self.stdout.write(
            "QUANTU_SMS_SECRET 用与模拟器相同的值。" if settings.SMS_SECRET else f"QUANTU_SMS_SECRET={secret}"
        )
        for number, meaning in MAGIC.items():
            self.stdout.write(f"  {number}  {meaning}")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")
