"""What a check has to say of one entry, in words for the person who made it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit. ``field`` is the entry it is said beside, ``place`` another place it speaks of.

    One that does not ``block`` may stand where a reason is given for it.
    """

    field: str
    code: str
    message: str
    blocks: bool = True
    place: int | None = None
