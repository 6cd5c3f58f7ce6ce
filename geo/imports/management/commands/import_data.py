"""``./run import DIR|FILE…``: report what importing would do; with ``--commit`` do it. Exit code 1 on any doubt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from geo.errors import CityError
from geo.imports.actions import draft_source, publish_runs
from geo.imports.discovery import Found, find_sources
from geo.imports.refusal_list import write_refusal_list
from geo.imports.report import SHOWN_PER_REASON, RunReport, told


class Command(BaseCommand):
    """Import declared sources from files and folders."""

    help = "Report what importing files or folders would do; --commit publishes it in one act."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer the paths and how to treat them."""
        parser.add_argument("paths", nargs="+", type=Path, help="folders or files")
        parser.add_argument("--commit", action="store_true", help="publish; without it nothing is changed")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.add_argument("--allow-removal", action="store_true", help="allow retiring more than a fifth of a source")
        parser.add_argument("--only", action="append", default=[], metavar="KEY", help="only the source of this key")
        parser.add_argument("--refusals", type=Path, metavar="FILE", help="write every refused row to this CSV file")
        parser.add_argument("--untrusted", action="store_true", help="read files in a process apart, with limits")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recognise, draft, publish or rehearse, report."""
        quiet = options["json"]
        try:
            found = find_sources([path.resolve() for path in options["paths"]])
        except CityError as fault:
            raise CommandError(fault.message) from fault
        if options["only"]:
            found.sources = [each for each in found.sources if each.spec.key in options["only"]]
        if not found.sources:
            self._say(quiet, "没有找到可以导入的来源。")
            self._list(found, quiet)
            sys.exit(1)
        runs = []
        for each in found.sources:
            self._say(quiet, f"读取 {each.spec.title}…")
            runs.append(draft_source(spec=each.spec, files=each.files, trusted=not options["untrusted"]))
        self._say(quiet, "核对并发布…" if options["commit"] else "核对（不写入）…")
        reports = publish_runs(
            runs=runs,
            commit=options["commit"],
            allow_removal=options["allow_removal"],
            told=lambda line: self._say(quiet, f"  {line}"),
        )
        self._report(reports, found, quiet)
        self._list_refusals(reports, options["refusals"], quiet)
        if any(report.doubts for report in reports):
            sys.exit(1)

    def _report(self, reports: list[RunReport], found: Found, quiet: bool) -> None:
        published = all(report.published for report in reports)
        if quiet:
            data = {
                "published": published,
                "sources": [report.as_data() for report in reports],
                "not_imported": {str(path): reason for path, reason in found.not_imported.items()},
            }
            self.stdout.write(json.dumps(data, ensure_ascii=False))
            return
        for report in reports:
            for line in told(report):
                self.stdout.write(line)
        self._list(found, quiet)
        if any(report.doubts for report in reports):
            self.stdout.write("有疑问，什么都没有发布。请按上面 ✗✗ 的说明处理后再导入。")
        elif published:
            self.stdout.write("已发布。")
        else:
            self.stdout.write("以上是将会发生的变化，尚未写入。确认无误后加 --commit 发布。")

    def _list(self, found: Found, quiet: bool) -> None:
        if found.not_imported and not quiet:
            self.stdout.write("未导入的文件：")
            for path, reason in found.not_imported.items():
                self.stdout.write(f"  {path.name}：{reason}")

    def _list_refusals(self, reports: list[RunReport], file: Path | None, quiet: bool) -> None:
        if file is not None:
            count = write_refusal_list(file, [report.run for report in reports])
            self._say(quiet, f"未导入的 {count} 行已逐行写入 {file}。")
        elif any(count > SHOWN_PER_REASON for report in reports for count in report.refused_by.values()):
            self._say(quiet, "每种原因只举了几行；要全部，请加 --refusals 文件名.csv。")

    def _say(self, quiet: bool, line: str) -> None:
        if not quiet:
            self.stdout.write(line)
            self.stdout.flush()
