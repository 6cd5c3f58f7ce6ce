"""How the same thing is written in many ways: widths, signs and numerals brought to one form, each character in its place."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from geo.addresses.parsing.parts import Ignored
from geo.addresses.parsing.vocabulary import NUMERALS, vocabulary

_DIGITS: Final = {
    char: digit
    for digit, chars in enumerate(("零〇○", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for char in chars
}
_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_TENS: Final = {"廿": "二十", "卅": "三十"}
_WORDS: Final = "零一二三四五六七八九"
_ALL_NUMERALS: Final = frozenset(NUMERALS)
BLANK: Final = " "
_JOINED_AT: Final = re.compile(r"(?<=\d)[至到一](?=\d)")
"""Between digits 一 is a dash that came out long: 12一401."""
_BLANKS: Final = re.compile(f"{BLANK}+")
_BETWEEN_DIGITS: Final = re.compile(rf"(?<=\d){BLANK}+(?=\d)")


class Folded(NamedTuple):
    """A text in one form, without blanks. ``at`` is where each character stood, ``None`` when nothing was left out."""

    text: str
    at: list[int] | None
    ignored: list[Ignored]


class _Folding(dict[int, str]):
    """What each character is folded to: always one character, a blank for what has no meaning. Filled as characters are met."""

    def __init__(self) -> None:
        signs = vocabulary().grammar["signs"]
        super().__init__({ord(char): same for char, same in signs["same"].items()})
        self.update(dict.fromkeys(map(ord, signs["dashes"]), "-"))
        self.update(dict.fromkeys(map(ord, signs["breaks"]), ";"))
        self.update({ord("，"): ",", ord("（"): "(", ord("）"): ")", ord("＃"): "#", ord("﹟"): "#", ord("№"): "#"})
        self.update({ord(char): "(" for char in "【〔［[{〖"} | {ord(char): ")" for char in "】〕］]}〗"})

    def __missing__(self, code: int) -> str:
        char = chr(code)
        same = unicodedata.normalize("NFKC", char)
        category = unicodedata.category(char)
        if len(same) != 1 or same.isspace() or category[0] in "CZ" or category in ("So", "Sk", "Mn", "Me"):
            same = BLANK
        elif same != char:
            # The folded character may itself have a fold: full-width brackets and dashes.
            same = self[ord(same)]
        self[code] = same
        return same


_FOLDING: Final = _Folding()


def fold(text: str) -> Folded:
    """Return a text with half-width digits and letters, one kind of dash, bracket and break, and without blanks and pictures.

    Blanks between two digits become a comma: they keep two numbers apart.
    """
    body = text.translate(_FOLDING)
    if "至" in body or "到" in body or "一" in body:
        body = _JOINED_AT.sub("-", body)
    if BLANK not in body:
        return Folded(body, None, [])
    body = _BETWEEN_DIGITS.sub(lambda blanks: "," + BLANK * (len(blanks[0]) - 1), body)
    at = [index for index, char in enumerate(body) if char != BLANK]
    ignored = []
    for blanks in _BLANKS.finditer(body):
        written = text[blanks.start() : blanks.end()]
        ignored.append(Ignored("symbol" if written.strip() else "blank", written, *blanks.span()))
    return Folded(body.replace(BLANK, ""), at, ignored)


def clean(text: str) -> str:
    """Return a name as names are compared: half-width digits and letters, no blanks, no punctuation at its ends."""
    return fold(text).text.strip(",.;、:")


def number_of(text: str) -> str:
    """Return a house number in plain digits without leading zeros: 二十三 and ２３ and 023 are 23; 一〇五 is 105.

    What is no number is returned as it stands, in capital letters and without the zeros that lead it: 0B is B.
    """
    if not text:
        return ""
    if text.isascii():
        if text.isdecimal():
            return text.lstrip("0") or "0"
        return (text.lstrip("0") or "0").upper()
    text = unicodedata.normalize("NFKC", text)
    if text.isdecimal() and text.isascii():
        return text.lstrip("0") or "0"
    if not _ALL_NUMERALS.issuperset(text):
        return text
    for short, tens in _TENS.items():
        text = text.replace(f"{short}十", tens).replace(short, tens)
    if not any(char in _UNITS for char in text):
        return "".join(str(_DIGITS[char]) for char in text).lstrip("0") or "0"
    total, digit = 0, 0
    for char in text:
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return str(total + digit)


def numeral_of(number: int) -> str:
    """Return a number below a hundred in Chinese numerals, as in the names of roads and villages: 4 is 四, 12 is 十二."""
    tens, ones = divmod(number, 10)
    return f"{_WORDS[tens] if tens > 1 else ''}{'十' if tens else ''}{_WORDS[ones] if ones or not tens else ''}"


_COUNTED: Final = re.compile(r"(?<!\d)([1-9]\d?)(?=村|路|街坊|街区|里|区|期|支路|条)")


def name_of(written: str) -> str:
    """Return a name with its ordinals in Chinese numerals: 鞍山4村 is 鞍山四村, 中山东1路 is 中山东一路."""
    if written.isalpha():
        return written
    return _COUNTED.sub(lambda match: numeral_of(int(match[1])), written)
