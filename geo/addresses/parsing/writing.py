"""How the same address is written in many ways: widths, signs and numerals brought to one form."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from geo.addresses.parsing.grammar import Parts

_DIGITS: Final = {
    char: digit
    for digit, chars in enumerate(("零〇○", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for char in chars
}
_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
NUMERALS: Final = "".join((*_DIGITS, *_UNITS))
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－~～〜至", "-"))
_SIGNS: Final = (
    (re.compile(r"(?:no|№)[.:]?\s*(\d+)号?", re.IGNORECASE), r"\1号"),
    (re.compile(r"(?<!\d)#(\d+)(?![\d号])"), r"\1号"),
    (re.compile(r"(\d+)#"), r"\1号"),
    (re.compile(r"(\d+)巷"), r"\1弄"),
    (re.compile(r"(\d+号)院"), r"\1"),
)


def clean(text: str) -> str:
    """Return a text in half-width digits and letters, without spaces, with one kind of dash and with 号 for ``#`` and ``No.``."""
    text = "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isprintable() or sign.isspace())
    # 至 joins two numbers in “4至77号”; elsewhere it is a word.
    text = re.sub(r"(?<=\d)[‐‑‒–—―−﹣－~～〜至](?=\d)", lambda dash: dash[0].translate(_DASHES), text)
    text = re.sub(r"\s+", "", text)
    for pattern, form in _SIGNS:
        text = pattern.sub(form, text)
    return text.strip(",，.。;；、:：")


def number_of(text: str) -> str:
    """Return a house number in plain digits without leading zeros: 二十三 and ２３ and 023 are 23; 一〇五 is 105.

    What is no number is returned as it stands.
    """
    text = unicodedata.normalize("NFKC", text)
    if text.isdecimal():
        return text.lstrip("0") or "0"
    if not text or any(char not in NUMERALS for char in text):
        return text
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


def normal_form(parts: Parts) -> str:
    """Return the form that equal addresses share, from the road down; a lane's own form is the beginning of its doors' forms.

    Regions are left out: they are renamed and merged, and most people leave them out too. An address without a road begins
    with its place, such as a named 新村.
    """
    pieces = (
        (parts.road or parts.place, ""),
        (parts.lane, "弄"),
        (parts.sub_lane, "支弄"),
        (parts.number, f"号{parts.suffix}"),
        (parts.building, "幢"),
        (parts.unit, "单元"),
        (parts.floor, "层"),
        (parts.room, "室"),
    )
    return "".join(f"{value}{ending}" for value, ending in pieces if value)[:200]
