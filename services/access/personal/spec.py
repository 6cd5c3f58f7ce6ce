"""What a package declares of the personal data it keeps, in its ``personal_data.py``: parts, and purposes to consent to. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonalPart:
    """One part of what is kept of an account; functions are named ``"package.module:function"`` and take the account.

    ``gives`` yields its rows as mappings of Chinese labels to plain values. ``erases`` forgets it, and returns how many went.
    Where the law keeps some of it, ``kept`` says what, for how long and why. ``blocks`` returns why erasing has to wait, or ''.
    ``models`` are those it tells of, as ``"app.Model"``: every model that points at an account is named by a part.
    """

    key: str
    title: str
    gives: str
    erases: str = ""
    kept: str = ""
    blocks: str = ""
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something personal data is used for beyond what the matter itself needs; used only while there is consent.

    ``versions`` are the texts people agreed to, the newest last; a new one is asked for anew. ``withdrawn`` names the function
    that forgets what was kept for it.
    """

    key: str
    title: str
    versions: tuple[str, ...]
    withdrawn: str

    @property
    def version(self) -> int:
        """Return the number of the text that counts."""
        return len(self.versions)
