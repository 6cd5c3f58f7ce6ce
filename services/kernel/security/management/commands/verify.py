"""Verifies programs, device logs, rights, accounts, logs and secrets, and reports in Chinese or as JSON."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from geo.errors import CityError
from services.crypto.reports import Section
from services.crypto.signed_rows import signed_tables
from services.kernel.security.actions import sign_installation, sign_tables
from services.kernel.security.checking import PARTS, all_good, check_parts, keep_up, plain_report

ACTOR = "system"


class Command(BaseCommand):
    """Exit code 0: all is as it was signed; 1: something is not; 2: it could not be checked."""

    help = "核查程序、设备日志、授权、账号、日志和加密内容是否被改动；--sign 为确认无误的程序签名。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", help=f"只核查这些部分：{' '.join(PARTS)}")
        parser.add_argument("--all", action="store_true", help="加密内容全部核查，不抽查")
        parser.add_argument("--json", action="store_true", help="只输出 JSON")
        parser.add_argument("--sign", action="store_true", help="确认当前程序和访问控制文件无误，重新签名")
        parser.add_argument(
            "--sign-rows",
            metavar="KIND",
            action="append",
            default=[],
            help="确认这类记录无误，重新签名：grant account …",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._sign(options)
            keep_up()
            sections = list(check_parts(options["parts"], everything=options["all"]))
        except CityError as fault:
            raise CommandError(fault.message, returncode=2) from fault
        if options["json"]:
            self.stdout.write(json.dumps(plain_report(sections), ensure_ascii=False, indent=1))
        else:
            self._say(sections)
        if not all_good(sections):
            self._end()

    def _sign(self, options: dict[str, Any]) -> None:
        known = {table.key for table in signed_tables()}
        if unknown := set(options["sign_rows"]) - known:
            raise CommandError(f"没有“{'、'.join(sorted(unknown))}”这类记录。可用：{'、'.join(sorted(known))}。")
        if options["sign"]:
            count = sign_installation(actor=ACTOR)
            self.stderr.write(f"已为 {count} 个文件签名。")
        if options["sign_rows"]:
            count = sign_tables(kinds=options["sign_rows"], actor=ACTOR)
            self.stderr.write(f"已为 {count} 条记录重新签名。")

    def _say(self, sections: list[Section]) -> None:
        for section in sections:
            state = "通过" if section.good else f"{len(section.findings)} 处问题"
            note = f"（{section.note}）" if section.note else ""
            self.stdout.write(f"{section.title}：{state}，共核查 {section.looked_at} 项{note}")
            for finding in section.findings:
                self.stdout.write(f"  · {finding.text}")
        self.stdout.write("全部通过。" if all_good(sections) else "有内容与签名不符，请按上面逐项核查。")

    def _end(self) -> NoReturn:
        raise SystemExit(1)
