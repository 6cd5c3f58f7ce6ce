"""The named errors of importing: a whole source refused, and single rows refused."""

from __future__ import annotations

from typing import Any

from geo.errors import BadInput
from geo.imports.reasons import DOUBTS, ROW_REASONS


class SourceRefused(BadInput):
    """A whole source is refused for a reason of ``reasons.DOUBTS``; nothing of it is published."""

    def __init__(self, code: str, what: str = "", **detail: Any) -> None:
        """Keep the reason, and ``what`` it was seen in (a file, a column, a measurement in Chinese)."""
        message = DOUBTS[code] if not what else f"{DOUBTS[code]}（{what}）"
        super().__init__(code, message, **detail)


class RowRefused(Exception):
    """One row is refused for a reason of ``reasons.ROW_REASONS``; the rest of the file goes on."""

    def __init__(self, code: str, column: str = "", what: str = "") -> None:
        """Keep the reason, the column of the file it was seen in, and what exactly was seen."""
        message = ROW_REASONS[code]
        super().__init__(f"{message}（{what}）" if what else message)
        self.code = code
        self.column = column
        self.message = str(self)
