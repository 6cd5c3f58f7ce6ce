"""Every refused row of a set of runs as one list, to be mended at the source and imported again."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from geo.imports.models import Refusal
from geo.spreadsheets import BOM, plain_cell

TITLES: Final = ("来源", "文件", "行号", "栏", "原因代码", "原因", "这一行的内容")


def write_refusal_list(path: Path, run_ids: Iterable[str]) -> int:
    """Write the refused rows of some runs as CSV, in the order of sources and rows, and return how many there are."""
    refusals = (
        Refusal.objects.filter(run__in=list(run_ids)).select_related("run__source").order_by("run", "part", "row")
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(BOM)
        writer = csv.writer(file)
        writer.writerow(TITLES)
        count = 0
        for refusal in refusals.iterator(chunk_size=2_000):
            count += 1
            said = (refusal.part, str(refusal.row), refusal.column, refusal.code, refusal.message, _said(refusal.raw))
            writer.writerow([plain_cell(text) for text in (refusal.run.source.title, *said)])
    return count


def _said(raw: Mapping[str, Any]) -> str:
    return "；".join(f"{name}={value}" for name, value in raw.items() if value not in ("", None))
