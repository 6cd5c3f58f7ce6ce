"""Numbers with their signs: 100弄, 5号之2, 4-77号, 12、14号, 3单元, 1层, 601室, 单号. What each says is decided later."""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.vocabulary import CHEQUE_NUMERALS, NUMERALS, PLAIN_NUMERALS, one_of, vocabulary
from geo.addresses.parsing.writing import number_of

_GRAMMAR: Final = vocabulary().grammar
_NOT_AFTER: Final[dict[str, list[str]]] = _GRAMMAR["not_numbers"]["after_sign"]
_NAMES: Final = [
    *_GRAMMAR["not_numbers"]["names"],
    *(sign + word for sign, words in _NOT_AFTER.items() for word in words),
]
SIGN_KINDS: Final[dict[str, str]] = {sign: kind for kind, signs in _GRAMMAR["numbers"].items() for sign in signs}
FLOORS: Final[dict[str, str]] = _GRAMMAR["words"]["floors"]
ROOMS: Final[frozenset[str]] = frozenset(_GRAMMAR["words"]["rooms"])
_ODD: Final = _GRAMMAR["words"]["odd"]
_EVEN: Final = _GRAMMAR["words"]["even"]
PARITIES: Final[dict[str, str]] = dict.fromkeys(_ODD, "odd") | dict.fromkeys(_EVEN, "even")
_LETTER: Final = "甲乙丙丁戊己庚辛"
GAP: Final = "\x1f"
"""Stands for something that was taken out and keeps what was beside it apart."""
LONGEST_NUMBER: Final = 9
"""Digits in a row beyond these are read as several numbers; no door has so many."""


def _any(signs: list[str]) -> str:
    """Return any sign that does not begin a longer word: 号 but not 号线, 门 but not 门诊."""
    return one_of(signs, not_before=_NOT_AFTER)


_HOUSE: Final = _any(_GRAMMAR["numbers"]["number"])
_OTHERS: Final = _any([sign for sign, kind in SIGN_KINDS.items() if kind != "number"])
_LETTERED: Final = _any(["座", "幢", "栋", "号楼", "区", "单元", "室", "楼", "号", "号房", "支弄"])
_PARITY: Final = rf"(?:{one_of(PARITIES)})(?![元栋独位人间])"
_DIGITS: Final = rf"\d{{1,{LONGEST_NUMBER}}}"

_FIRST: Final = "".join(
    map(
        re.escape,
        sorted({*"-();,、#", GAP, *NUMERALS, *_LETTER, *_GRAMMAR["signs"]["dots"], *(w[0] for w in (*FLOORS, *ROOMS))}),
    )
)
"""What an atom may begin with; most characters of a name are passed over at the first look."""
ATOM: Final = re.compile(
    rf"""
    (?=[\dA-Za-z{_FIRST}])(?:
    (?P<part>[;,、]+|{GAP})
  | (?P<floor>{one_of((*FLOORS, *ROOMS))})
  | (?:\#|[Nn][Oo][.:]?)?
    (?P<num>
        (?:(?<![A-Za-z])[A-Za-z]{{1,2}}-?)?{_DIGITS}(?:[A-EG-Za-eg-z](?![A-Za-z])|F(?=[室座号]))?
        (?:-+[A-Za-z]?\d{{1,6}}(?:[A-Za-z](?![A-Za-z]))?){{0,4}}
        (?:[、,/和及与]{_DIGITS}(?:-+\d{{1,6}})?){{0,200}}
      | [A-Za-z{_LETTER}](?=(?:{_LETTERED}))
      | (?<![{NUMERALS}])(?:[{PLAIN_NUMERALS}]{{1,9}}|[{CHEQUE_NUMERALS}]{{1,9}})(?=[{_LETTER}]?(?:{_OTHERS}|{_HOUSE}))
    )
    (?:
        (?P<lettered>[{_LETTER}](?=[弄巷]))?(?P<sign>{_OTHERS})
      | (?P<loose>[{_LETTER}临])(?=$|[;,、()])
      | (?P<inner>[{_LETTER}A-Z]|[之附](?:{_DIGITS}|[{NUMERALS}]{{1,5}}))?
        (?:(?P<house>\#|{_HOUSE}))
        (?P<tail>
            [之附](?:{_DIGITS}|[{NUMERALS}]{{1,5}})号?
          | [{_LETTER}](?![{_LETTER}{NUMERALS}室座单楼栋幢支])
          | 临(?=$|[;,、()\d])
          | -\d{{1,2}}(?![\d-]|室|层|楼|幢|号|单元|[A-Za-z])
          | [A-Z](?![A-Za-z0-9座室幢栋楼单梯区])
        )?
      | (?P<name>{one_of(_NAMES)}|(?<=[12]\d{{3}})年)
    )?
    (?P<parity>{_PARITY})?
  | (?P<dots>[-()\#{re.escape(_GRAMMAR["signs"]["dots"])}]+)
    )""",
    re.VERBOSE,
)
"""One number with its signs, a break, or punctuation. Every repetition is bounded or cannot overlap: reading is linear."""

_ROOM_NEXT: Final = re.compile(r"\d{3,4}(?!\d)")
_LISTED: Final = re.compile(r"[、,/和及与]")
_JOINED: Final = re.compile(r"-+")

_BY_GROUP: Final = {
    "part": "part", "dots": "dots", "name": "name", "floor": "floor", "house": "number", "tail": "number",
    "loose": "number",
}  # fmt: skip


def kind_of(atom: re.Match[str]) -> str:
    """Return what an atom is: ``part`` (a break), ``dots``, ``name`` (no number at all), ``bare`` or the kind of its sign."""
    last = atom.lastgroup
    if last == "sign":
        return SIGN_KINDS[atom["sign"]]
    if last == "num":
        return "bare" if atom.start() == atom.start("num") else "number"
    if last == "parity":
        return SIGN_KINDS[atom["sign"]] if atom["sign"] else "number"
    return _BY_GROUP[str(last)]


def elements_of(num: str) -> list[str]:
    """Return the single numbers or ranges of a list such as 1-10、12."""
    return _LISTED.split(num)


def ends_of(element: str) -> list[str]:
    """Return the numbers that dashes join: 4-77 gives 4 and 77."""
    return [number_of(number) for number in _JOINED.split(element)]


def suffix_of(atom: re.Match[str]) -> str:
    """Return what hangs on a house number, before or behind 号: 甲, 之3, -2, A; ``""`` for nothing."""
    written = atom["tail"] or atom["inner"] or atom["loose"]
    if not written:
        return ""
    if written[0] in "之附":
        return f"之{number_of(written[1:].removesuffix('号'))}"
    return str(written)


def parity_of(atom: re.Match[str]) -> str:
    """Return ``odd`` or ``even`` when only one side is meant, else ``""``."""
    return PARITIES.get(atom["parity"] or "", "")


def split_run(digits: str, start: int, text: str, end: int) -> tuple[str, int]:
    """Return the floor's digits and where they begin, when numbers are run together before 层: 3401层0102 is 34 and floor 01.

    The room that follows tells how many of the digits are the floor; without one the last two are.
    """
    room = _ROOM_NEXT.match(text, end)
    if room is not None:
        level = int(room[0]) // 100
        for length in (2, 1):
            if int(digits[-length:]) == level:
                return digits[-length:], start + len(digits) - length
    return digits[-2:], start + len(digits) - 2


def halves(digits: str) -> str:
    """Return the half of digits that repeat themselves, 0404 gives 04; ``""`` when they do not."""
    half = len(digits) // 2
    return digits[:half] if len(digits) % 2 == 0 and half and digits[:half] == digits[half:] else ""
