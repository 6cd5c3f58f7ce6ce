"""What spreadsheet programs would take for more than text."""

from __future__ import annotations

from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
BOM: Final = "\ufeff"
"""Opens a CSV file, so that spreadsheet programs read it as UTF-8."""


def plain_cell(text: str) -> str:
    """Return a text as a cell of a CSV file that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def bare_cell(text: str) -> str:
    """Return what ``plain_cell`` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
