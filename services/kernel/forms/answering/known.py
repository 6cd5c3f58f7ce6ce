"""Lists too long to stand in a form: regions and places of service, asked for by their keys. Pure."""

from __future__ import annotations

from typing import Final, Protocol


class Known(Protocol):
    """Where answers that point at something are looked up; each returns its name, None for what there is not."""

    def region(self, code: str, level: str) -> str | None:
        """Return the name of a region of a level ('district', 'street', 'committee') by its code."""

    def place(self, number: int, kind: str) -> str | None:
        """Return the name of a place of service by its id; ``kind`` '' takes any."""


class _Nothing:
    def region(self, code: str, level: str) -> str | None:
        return None

    def place(self, number: int, kind: str) -> str | None:
        return None


NOTHING_KNOWN: Final[Known] = _Nothing()
"""Knows no region and no place: for forms that ask for neither."""
