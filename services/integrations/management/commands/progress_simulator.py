"""Runs the simulator of a source of cases in the foreground."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from services.integrations.progress.client import CHANNELS
from services.integrations.progress.simulator import MAGIC, Simulator

DEFAULT_PORT = 8961
SECRET = "simulator-secret"


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动办件来源（一网通办、社区事务受理）模拟器，接收办件进度，用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        parser.add_argument("--channel", choices=list(CHANNELS), default="one_stop")

    def handle(self, *args: Any, **options: Any) -> None:
        simulator = Simulator(app="simulator", secret=SECRET, port=options["port"])
        name = f"QUANTU_{options['channel'].upper()}"
        self.stdout.write(f"{CHANNELS[options['channel']]}模拟器：{simulator.url}（Ctrl-C 停止）。按下面的设置接通：")
        self.stdout.write(f"{name}_URL={simulator.url}\n{name}_APP=simulator\n{name}_SECRET={SECRET}")
        self.stdout.write("QUANTU_INSIDE_HOSTS=127.0.0.1\n来源编号写成下面的样子，就会出相应的错：")
        for number, meaning in MAGIC.items():
            self.stdout.write(f"  {number}  {meaning}")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")
