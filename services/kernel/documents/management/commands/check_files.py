"""Compare the kept contents with the rows that name them; ``--commit`` deletes what no row names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from services.kernel.documents.contents import sweep


class Command(BaseCommand):
    help = "核对附件：列出没有记录的内容、缺失的和变了样的；加 --commit 删除没有记录的。"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to delete, and whether to read every content."""
        parser.add_argument("--commit", action="store_true", help="删除没有记录、放了一天以上的内容")
        parser.add_argument("--quick", action="store_true", help="不逐个读出核对摘要")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; fail when a content is missing or has changed."""
        found = sweep(commit=options["commit"], verify=not options["quick"])
        done = "已删除" if options["commit"] else "可删除"
        self.stdout.write(
            f"内容 {found.contents} 个；没有记录的 {len(found.orphans)} 个，{found.orphan_bytes:,} 字节，{done}。"
        )
        for path in found.orphans:
            self.stdout.write(f"  没有记录  {path.name}")
        for digest in found.missing:
            self.stderr.write(f"  缺失  {digest}")
        for digest in found.spoiled:
            self.stderr.write(f"  变了样  {digest}")
        if not found.sound:
            raise CommandError("有内容缺失或损坏。请从备份恢复这些文件（./run restore），再核对一次。")
