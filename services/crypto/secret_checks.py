"""Do the sealed texts open? A sample of the newest and of any, or all of them."""

from __future__ import annotations

from geo.errors import CityError
from services.crypto.house import house_keys
from services.crypto.port import Purpose
from services.crypto.reports import Finding
from services.crypto.rotation import Opening, SealedTable, rows_of, sealed_tables
from services.crypto.sealing import newest_id

SAMPLE = 500
MOST_NAMED = 100


def check_secrets(*, everything: bool = False) -> tuple[int, list[Finding], str]:
    """Open sealed texts; return how many rows were looked at, which do not open, and how much of the whole that was."""
    findings: list[Finding] = []
    seen = total = 0
    opening = Opening(house_keys(), newest_id(Purpose.SEAL))
    for table in sealed_tables():
        rows = rows_of(table)
        total += rows.count()
        chosen = rows.order_by("pk") if everything else rows.order_by("?")[:SAMPLE]
        for row in chosen.iterator(chunk_size=500):
            seen += 1
            if (fault := _fault(table, row, opening)) and len(findings) < MOST_NAMED:
                findings.append(fault)
    return seen, findings, "" if seen == total else f"抽查，共 {total} 条；加 --all 全部核查"


def _fault(table: SealedTable, row: object, opening: Opening) -> Finding | None:
    pk = getattr(row, "pk", "")
    try:
        table.renew(row, opening)
    except CityError as fault:
        return Finding(fault.code, table.title, f"{table.title} {pk} 打不开：{fault.message}", str(pk))
    return None
