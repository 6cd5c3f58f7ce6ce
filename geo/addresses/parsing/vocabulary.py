"""The words of addresses, read once from the files in ``data``: endings, signs, regions with their history, other cities."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

DATA: Final = Path(__file__).parent / "data"
PLAIN_NUMERALS: Final = "零〇○一二两三四五六七八九十百千廿卅"
CHEQUE_NUMERALS: Final = "零壹贰叁肆伍陆柒捌玖拾佰仟"
NUMERALS: Final = f"{PLAIN_NUMERALS}{CHEQUE_NUMERALS[1:]}"
_ORDINAL: Final = "[一二三四五六七八九十]"
DIRECTIONS: Final = "东西南北中上下内外前后"


class RegionName(NamedTuple):
    """What may be written for a region: ``today`` is what it is called now, ``kind`` a kind of token, ``old`` a former name.

    ``today`` is the written name itself where a former region went to several.
    """

    written: str
    kind: str
    today: str
    district: str = ""
    old: bool = False
    short: bool = False


class Elsewhere(NamedTuple):
    """A province or a city that is not Shanghai; ``name`` in full."""

    written: str
    name: str
    level: str
    short: bool


class Ending(NamedTuple):
    """The last characters of a sort of name; ``stem`` characters must stand before them, ``where`` they may stand in a run."""

    text: str
    kind: str
    where: str
    stem: int


@dataclass(frozen=True)
class Vocabulary:
    """Everything the grammar knows besides its rules."""

    grammar: Mapping[str, Any]
    regions: tuple[RegionName, ...]
    elsewhere: tuple[Elsewhere, ...]
    endings: Mapping[str, Ending]
    ending: re.Pattern[str]
    """Any ending within a run of characters, longest first."""
    bare: re.Pattern[str]
    """What would only lengthen the name before it: a direction or an ordinal and a sure ending, without a stem of its own."""
    bare_road: re.Pattern[str]
    """The same for roads and estates only."""
    bare_to_end: re.Pattern[str]
    """The same with any endings, several in a row: 路小学, 五村, 坊."""


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary; the files are read once."""
    with (DATA / "grammar.toml").open("rb") as file:
        grammar = tomllib.load(file)
    endings = {
        row["ending"]: Ending(row["ending"], row["kind"], row["where"], int(row["stem"])) for row in _rows("endings")
    }
    any_ending = one_of(endings)
    sure_ending = one_of(
        text
        for text, ending in endings.items()
        if ending.where != "door" and (ending.kind != "estate" or len(text) > 1)
    )
    lead = rf"第?[{DIRECTIONS}支辅]?(?:{_ORDINAL}|\d){{0,3}}[{DIRECTIONS}支辅]?"
    return Vocabulary(
        grammar=grammar,
        regions=tuple(_regions()),
        elsewhere=tuple(_elsewhere()),
        endings=endings,
        ending=re.compile(f"(?:{one_of(endings, grammar['not_names']['after_ending'])})(?!办事处)"),
        bare=re.compile(f"{lead}(?:{sure_ending})"),
        bare_road=re.compile(f"{lead}(?:{one_of(text for text, ending in endings.items() if _is_lived_on(ending))})"),
        bare_to_end=re.compile(f"(?:{lead}(?:{any_ending})){{1,6}}"),
    )


def _is_lived_on(ending: Ending) -> bool:
    return (ending.kind == "road" and ending.where != "door") or (
        ending.kind in ("estate", "village")
        and ending.text != "里"
        and (len(ending.text) > 1 or ending.kind == "village")
    )


def one_of(words: Iterable[str], not_before: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a regular expression for any of some words, the longest first.

    ``not_before`` holds, by the last character of a word, what may not follow it.
    """
    found = []
    for word in sorted(words, key=lambda word: (-len(word), word)):
        longer = not_before.get(word[-1]) if not_before else None
        found.append(f"{re.escape(word)}(?!{one_of(longer)})" if longer else re.escape(word))
    return "|".join(found)


def reason_text(code: str) -> str:
    """Return what users are told about an ignored piece with this reason."""
    return str(vocabulary().grammar["reasons"][code])


def note_text(code: str) -> str:
    """Return what users are told about an address with this note."""
    return str(vocabulary().grammar["notes"][code])


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _regions() -> Iterable[RegionName]:
    for row in _rows("regions"):
        names = row["today"].split("|")
        today = names[0] if len(names) == 1 else row["name"]
        yield RegionName(row["name"], row["level"], today, row["district"], row["name"] not in names)
        short = row["name"].removesuffix("新区").removesuffix("区")
        if row["level"] == "district" and row["name"].endswith("区") and len(short) >= 2:
            yield RegionName(short, "district", today, "", row["name"] not in names, short=True)
            if row["name"].endswith("新区"):
                yield RegionName(f"{short}区", "district", today)
        elif row["level"] == "street" and len(names) == 1:
            short = row["name"].removesuffix("街道").removesuffix("新镇").removesuffix("镇").removesuffix("新村")
            if len(short) >= 2:
                yield RegionName(short, "street", today, row["district"], row["name"] not in names, short=True)


def _elsewhere() -> Iterable[Elsewhere]:
    for row in _rows("elsewhere"):
        yield Elsewhere(row["name"], row["name"], row["level"], short=False)
        if row["short"]:
            yield Elsewhere(row["short"], row["name"], row["level"], short=True)
