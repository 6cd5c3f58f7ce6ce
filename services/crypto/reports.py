"""What a check found, as a value: code, what it is about, a sentence in Chinese, and the key of the row or file. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed."""

    code: str
    subject: str
    text: str
    row: int | str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report: its key, its title, how many things were looked at, and what is wrong.

    ``note`` says what could not be looked at, or what a reader should know; it is no fault.
    """

    key: str
    title: str
    looked_at: int
    findings: list[Finding] = field(default_factory=list)
    note: str = ""

    @property
    def good(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.findings

    def plain(self) -> dict[str, Any]:
        """Return the section as JSON can hold it."""
        return {**asdict(self), "good": self.good}
