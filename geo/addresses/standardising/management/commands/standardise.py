"""``./run manage standardise FILE -o OUT.csv``: a list of addresses standardised here and now, row by row, into a CSV file."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.standardising.export import csv_text
from geo.addresses.standardising.outcomes import Standardised, Status, title_of
from geo.addresses.standardising.report import Tally
from geo.addresses.standardising.standard import standardise
from geo.addresses.standardising.tables import Columns, guess_columns, item_of
from geo.addresses.standardising.uploads import Line, Spooled, read_spooled, spool
from geo.crs import System
from geo.errors import CityError
from geo.scope import Scope

CHUNK = 5_000


class Command(BaseCommand):
    """Standardise a file of addresses without the web: for operators, with the memory of one chunk."""

    help = "把 Excel、CSV 或 TXT 文件里的地址逐行规范，写成 CSV。缺省自己找地址在哪一列。"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the files, and where in the list the address stands."""
        parser.add_argument("file", type=Path, help="要规范的文件（.xlsx、.csv、.txt，可以是 .gz）")
        parser.add_argument("-o", "--output", type=Path, required=True, help="结果写到这个 CSV 文件")
        parser.add_argument("--address", type=int, help="地址在第几列，从 1 数")
        parser.add_argument("--district", type=int, help="区在第几列，从 1 数")
        parser.add_argument("--no-header", action="store_true", help="没有表头，第一行就是地址")
        parser.add_argument("--crs", default="cgcs2000", help="坐标系，缺省 cgcs2000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the result beside the target and put it in place when it is whole."""
        output: Path = options["output"]
        partial = output.with_name(f"{output.name}.partial")
        try:
            tally = self._standardise(options, partial)
        except (CityError, OSError) as error:
            partial.unlink(missing_ok=True)
            raise CommandError(getattr(error, "message", str(error))) from error
        partial.replace(output)
        for status in Status:
            if tally.statuses[status]:
                self.stdout.write(f"{status.label}：{tally.statuses[status]:,} 行")
        for code, count in tally.reasons.most_common(10):
            self.stdout.write(f"  {count:,} 行：{title_of(code)}")
        seconds = tally.seconds["all"]
        self.stdout.write(
            f"共 {tally.rows:,} 行，用了 {seconds:.0f} 秒，每秒 {tally.rows / max(seconds, 0.001):,.0f} 行：{output}"
        )

    def _standardise(self, options: dict[str, Any], target: Path) -> Tally:
        to, tally, began = System.parse(options["crs"]), Tally(), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
            plain = Path(folder) / "plain"
            found = spool(options["file"], plain)
            columns = _columns(found, options)
            lines = read_spooled(plain)
            header = [line.cells for line in itertools.islice(lines, columns.header)][-1] if columns.header else []
            names = [name or f"第 {at} 列" for at, name in enumerate([*header, *[""] * (found.width - len(header))], 1)]
            with target.open("w", encoding="utf-8", newline="") as out:
                out.writelines(csv_text(names, _pairs(lines, columns, found.width, tally), to))
        tally.seconds["all"] = time.monotonic() - began  # type: ignore[assignment]
        return tally


def _columns(found: Spooled, options: dict[str, Any]) -> Columns:
    guessed = guess_columns(found.head)
    address = guessed.address if options["address"] is None else options["address"] - 1
    district = guessed.district if options["district"] is None else options["district"] - 1
    if any(at is not None and not 0 <= at < found.width for at in (address, district)):
        raise CommandError(f"没有这一列，这个文件有 {found.width} 列。")
    return Columns(address, district, guessed.parts, 0 if options["no_header"] else guessed.header)


def _pairs(
    lines: Iterator[Line], columns: Columns, width: int, tally: Tally
) -> Iterator[tuple[list[str], Standardised]]:
    row = columns.header + 1
    while chunk := list(itertools.islice(lines, CHUNK)):
        published = published_now()
        items = [item_of(line.cells, columns, width) for line in chunk]
        rows = standardise(items, scope=Scope.public(), published=published, names=names_of(published), first_row=row)
        tally.add(rows)
        row += len(rows)
        yield from zip((line.cells for line in chunk), rows, strict=True)
