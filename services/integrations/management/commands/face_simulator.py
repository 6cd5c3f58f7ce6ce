"""Runs the simulator of the face service in the foreground, with pictures of accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from services.integrations.faces.simulator import Simulator

DEFAULT_PORT = 8965
SECRET = "simulator-secret"


class Command(BaseCommand):
    """Serve until Ctrl-C; says which settings connect the house to it."""

    help = "启动人脸核验平台模拟器，认得给出的照片，用于联调和演练。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("faces", nargs="*", help="认得谁：账号=照片.jpg")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        known = dict(known_face(each) for each in options["faces"])
        simulator = Simulator(app="simulator", secret=SECRET, port=options["port"], known=known)
        self.stdout.write(
            f"人脸核验平台模拟器：{simulator.url}（Ctrl-C 停止），认得 {len(known)} 人。按下面的设置接通："
        )
        self.stdout.write(
            f"QUANTU_FACES_URL={simulator.url}\nQUANTU_FACES_APP=simulator\nQUANTU_FACES_SECRET={SECRET}\n"
            "QUANTU_INSIDE_HOSTS=127.0.0.1"
        )
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("已停止。")


def known_face(text: str) -> tuple[str, bytes]:
    """Return the number and the picture of an account, as ``name=picture.jpg``. Raises ``CommandError``."""
    name, _, path = text.partition("=")
    user = get_user_model()._default_manager.filter(username=name).first()
    if user is None or not Path(path).is_file():
        raise CommandError(f"没有账号“{name}”，或者没有照片“{path}”。写成 账号=照片.jpg。")
    return str(user.uid), Path(path).read_bytes()
