"""``./run manage staff_account NAME --role ROLE``: make a real account, or give a known one another role."""

from __future__ import annotations

import datetime
import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from geo.errors import CityError
from geo.regions.models import Region, RegionVersion
from geo.regions.queries import current_city
from services.access.actions import make_staff_account
from services.access.models import User
from services.access.roles import roles


class Command(BaseCommand):
    """Make a staff account with a role over a region."""

    help = "建立一个正式账号并授予角色；账号已存在时只加授角色。密码在终端输入两次，或从标准输入读一行。"

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer the name, the role and where it holds."""
        parser.add_argument("username", help="账号名")
        parser.add_argument("--role", required=True, choices=[role.key for role in roles()])
        parser.add_argument("--region", default="", metavar="CODE", help="区划代码，缺省为全市")
        parser.add_argument("--name", default="", help="姓名")
        parser.add_argument("--until", type=datetime.date.fromisoformat, metavar="DATE", help="授权到哪一天，缺省不限")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for the password, make the account, say what it may do."""
        code = options["region"] or current_city().code
        version = RegionVersion.objects.filter(edition__state="published", code=code).select_related("region").first()
        if version is None:
            raise CommandError(f"没有发布代码为 {code} 的区划，请先导入区划，或用 --region 指定。")
        known = User.objects.filter(username=options["username"]).exists()
        try:
            user = make_staff_account(
                username=options["username"],
                password="" if known else _password(),
                role=options["role"],
                region=Region.objects.get(pk=version.region_id),
                display_name=options["name"],
                to_day=options["until"],
            )
        except CityError as fault:
            raise CommandError(fault.message) from fault
        role = next(each.name for each in roles() if each.key == options["role"])
        until = f"，至 {options['until']}" if options["until"] else ""
        done = "已加授角色" if known else "已建立账号"
        self.stdout.write(f"{done}：{user.username}，{role}，{version.name}，自 {timezone.localdate()}{until}。")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass("密码：")
    if first != getpass("再输一次："):
        raise CommandError("两次输入的密码不一样，请重新运行。")
    return first
