"""Citizen identity numbers (GB 11643): the check digit, the birthday and the sex they carry. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, Literal

NUMBER: Final = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SIGNS: Final = "10X98765432"


@dataclass(frozen=True, slots=True)
class Carried:
    """What an identity number says of its holder."""

    birthday: dt.date
    sex: Literal["男", "女"]
    region: str
    """The county-level code of the place of first registration."""


def check_sign(first: str) -> str:
    """Return the eighteenth sign for the first seventeen digits."""
    return _SIGNS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first, strict=True)) % 11]


def carried_by(number: str) -> Carried | None:
    """Return what a number of eighteen signs carries; None where the check sign or the birthday cannot be."""
    if not NUMBER.fullmatch(number) or check_sign(number[:17]) != number[17]:
        return None
    try:
        birthday = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return Carried(birthday, "男" if int(number[16]) % 2 else "女", number[:6])
