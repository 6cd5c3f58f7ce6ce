"""``./run manage purge_retired``: how many retired invented rows could go; with ``--commit`` they are deleted for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from geo.imports.actions import purge_retired


class Command(BaseCommand):
    """Delete the invented rows that real data has retired and nothing refers to."""

    help = "清除已停用、且没有被引用的演示数据。不加 --commit 只说明会清除多少，不删除。"

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer ``--commit``."""
        parser.add_argument("--commit", action="store_true", help="真正删除，不能恢复；缺省只统计")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge or rehearse it, and say how many of what."""
        done = "删除" if options["commit"] else "可删除"
        found = purge_retired(commit=options["commit"])
        for family, purged in found.items():
            if not purged.deleted and not purged.kept:
                continue
            beside = f"，连同所属记录 {purged.belonging} 行" if purged.belonging else ""
            kept = f"；另有 {purged.kept} 行仍被引用，保留" if purged.kept else ""
            self.stdout.write(f"{family.label}：{done} {purged.deleted} 行{beside}{kept}")
        total = sum(purged.deleted for purged in found.values())
        if not total:
            self.stdout.write("没有可以清除的演示数据。")
        elif options["commit"]:
            self.stdout.write(f"共删除 {total} 行。")
        else:
            self.stdout.write(f"共 {total} 行，尚未删除。确认无误后加 --commit；建议先 ./run backup。")
