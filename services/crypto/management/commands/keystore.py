"""Shows the keys of this installation by id and day, and adds one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from geo.errors import CityError
from services.crypto.keystore import add_key
from services.crypto.sealing import house_keys


class Command(BaseCommand):
    """List the keys; ``--rotate`` adds one that seals from now on."""

    help = "列出加密密钥的编号和日期；--rotate 增加一把新密钥，旧内容仍可打开。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rotate", action="store_true", help="增加一把新密钥，从现在起用它加密")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            house_keys()  # made at first use
            if options["rotate"]:
                key = add_key(Path(settings.KEYSTORE))
                self.stdout.write(f"已增加密钥 {key.id}。请马上备份密钥库文件：{settings.KEYSTORE}")
            keys = house_keys()
        except CityError as fault:
            raise CommandError(fault.message) from fault
        for key in keys.keys:
            self.stdout.write(f"{key.id}  {key.made_on}{'  正在使用' if key is keys.newest else ''}")
