"""Small worlds for tests of importing: files, declarations, and one call that drafts and publishes."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo.imports.actions import draft_source, publish_runs
from geo.imports.report import RunReport
from geo.imports.spec import SourceSpec, manifest_of

PLACES = {
    "key": "places",
    "title": "测试设施",
    "family": "facilities",
    "file": "places.csv",
    "datum": "wgs84",
    "x": "lon",
    "y": "lat",
    "ext_id": ["id"],
    "columns": {"kind": "kind", "name": "name", "address_text": "address"},
}


def spec_of(**changes: Any) -> SourceSpec:
    """Return the declaration of a facilities file, changed."""
    return manifest_of({"source": [{**PLACES, **changes}]}).sources[0]


def place(number: int, **changes: Any) -> dict[str, Any]:
    """Return one row of a facilities file, each in another place of the city centre."""
    lon, lat = 121.40 + 0.0021 * (number % 50), 31.15 + 0.0017 * (number // 50)
    row = {"id": f"p{number}", "kind": "pharmacy", "name": f"第{number}药店", "address": "", "lon": lon, "lat": lat}
    return {**row, **changes}


def places(count: int) -> list[dict[str, Any]]:
    return [place(number) for number in range(count)]


def csv_bytes(rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def write_rows(
    folder: Path, rows: Sequence[Mapping[str, Any]], name: str = "places.csv", encoding: str = "utf-8"
) -> Path:
    data = csv_bytes(rows, encoding)
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def bring(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, commit: bool = True, allow_removal: bool = False, **changes: Any
) -> RunReport:
    """Write a facilities file, draft it and publish it (or rehearse it), and return the report."""
    path = write_rows(folder, rows)
    run = draft_source(spec=spec_of(**changes), files=[path])
    return publish_runs(runs=[run], commit=commit, allow_removal=allow_removal)[0]
