"""Which files ledgers keep: the sheets of imports until they are checked."""

from __future__ import annotations

from collections.abc import Iterator

from geo.kept import KeptFolder
from services.kernel.ledger.importing.queries import file_of
from services.kernel.ledger.models import LedgerImport


def _sheets() -> Iterator[str]:
    waiting = LedgerImport.objects.filter(checked_at=None, discarded_at=None)
    return (file_of(one).name for one in waiting.only("pk").iterator())


KEPT = (KeptFolder("sheets", "台账导入表格", _sheets),)
