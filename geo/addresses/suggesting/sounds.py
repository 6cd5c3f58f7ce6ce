"""How characters sound: their toneless pinyin, which sounds people take for each other, and typed letters cut into syllables.

The characters' readings come from the dictionary that pypinyin ships, without its phrases, which would take fifty megabytes of
every process: a character that is read in two ways is found by either.
"""

from __future__ import annotations

import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

READ_IN_TWO_WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "重": ("zhong", "chong"), "长": ("chang", "zhang"), "長": ("chang", "zhang"), "行": ("hang", "xing"),
    "乐": ("le", "yue"), "莘": ("xin", "shen"), "厦": ("xia", "sha"), "大": ("da", "dai"), "都": ("du", "dou"),
    "朝": ("chao", "zhao"), "曾": ("zeng", "ceng"), "单": ("dan", "shan"), "解": ("jie", "xie"), "会": ("hui", "kuai"),
    "洞": ("dong", "tong"), "泊": ("bo", "po"), "卜": ("bu", "bo"), "柏": ("bai", "bo"), "车": ("che", "ju"),
    "便": ("bian", "pian"), "传": ("chuan", "zhuan"), "弄": ("long", "nong"), "堡": ("bao", "pu"), "圩": ("wei", "xu"),
    "屯": ("tun", "zhun"), "藏": ("cang", "zang"), "尉": ("wei", "yu"), "朴": ("pu", "piao"), "调": ("diao", "tiao"),
    "叶": ("ye", "xie"), "阿": ("a", "e"), "石": ("shi", "dan"), "参": ("can", "shen"), "盛": ("sheng", "cheng"),
    "省": ("sheng", "xing"), "和": ("he", "huo"), "角": ("jiao", "jue"), "晟": ("sheng", "cheng"), "浜": ("bang", "bin"),
    "甸": ("dian", "tian"), "浦": ("pu", "fu"), "漕": ("cao", "zao"), "溇": ("lou", "lv"),
    "桁": ("heng", "hang"), "祁": ("qi", "ji"), "闵": ("min", "wen"),
}  # fmt: skip
"""Characters of Shanghai's names that are read in two ways, or are often misread; the others have one reading each."""

_FIRST, _LAST = 0x3400, 0x9FFF
_INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsywaeo")
_LONGEST_SYLLABLE: Final = 6
_SPLITS_KEPT: Final = 8


@dataclass(frozen=True)
class Sounds:
    """Every syllable there is, by number: ``first`` and ``second`` give those of a character, 0 for none.

    ``likeness`` gives the class of syllables that are taken for each other. A Latin letter is a syllable of its own.
    """

    syllables: tuple[str, ...]
    first: npt.NDArray[np.int16]
    second: npt.NDArray[np.int16]
    likeness: npt.NDArray[np.int16]
    number: Mapping[str, int]
    letter_a: int
    spoken: frozenset[str]
    beginnings: frozenset[str]

    def of(self, signs: npt.NDArray[np.uint32], *, second: bool = False) -> npt.NDArray[np.int16]:
        """Return the syllable of each code point, or the other one it is read with; 0 where it has none."""
        table = self.second if second else self.first
        inside = (signs >= _FIRST) & (signs <= _LAST)
        found = np.where(inside, table[np.where(inside, signs - _FIRST, 0)], 0).astype(np.int16)
        letters = (signs >= ord("a")) & (signs <= ord("z"))
        found[letters] = self.letter_a + (signs[letters] - ord("a"))
        return found

    def beginning_with(self, letters: str) -> frozenset[int]:
        """Return the syllables that begin with some letters; a Latin letter begins with itself."""
        return _beginning_with(letters)

    def like(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return the syllables that are taken for any of these."""
        classes = np.unique(self.likeness[list(numbers)])
        return frozenset(np.flatnonzero(np.isin(self.likeness, classes)).tolist())

    def readings(self, sign: str) -> tuple[int, ...]:
        """Return the numbers of the syllables a character is read as."""
        at = np.array([ord(sign)], dtype=np.uint32)
        both = (int(self.of(at)[0]), int(self.of(at, second=True)[0]))
        return tuple(dict.fromkeys(number for number in both if number))


def alike(syllable: str) -> str:
    """Return what a syllable is taken for: no difference of zh and z, n and l, ang and an, ü and u."""
    written = re.sub("^([zcs])h", r"\1", syllable)
    written = re.sub("^n", "l", written)
    written = re.sub("(?<=[aei])ng$", "n", written)
    return written.replace("v", "u")


@cache
def sounds() -> Sounds:
    """Return the sounds of all characters; the dictionary is read once."""
    readings = _dictionary()
    syllables = sorted({syllable for both in readings.values() for syllable in both})
    letters = [f"'{chr(code)}" for code in range(ord("a"), ord("z") + 1)]
    table = ("", *syllables, *letters)
    number = {syllable: at for at, syllable in enumerate(table)}
    first = np.zeros(_LAST - _FIRST + 1, dtype=np.int16)
    second = np.zeros_like(first)
    for sign, (one, other) in readings.items():
        first[ord(sign) - _FIRST], second[ord(sign) - _FIRST] = number[one], number[other]
    classes = {name: at for at, name in enumerate(sorted({alike(syllable) for syllable in table}))}
    spoken = frozenset(syllable for syllable in syllables if re.fullmatch("[a-z]*[aeiouv][a-z]*", syllable))
    return Sounds(
        syllables=table,
        first=first,
        second=second,
        likeness=np.array([classes[alike(syllable)] for syllable in table], dtype=np.int16),
        number=number,
        letter_a=number["'a"],
        spoken=spoken,
        beginnings=frozenset(syllable[:size] for syllable in spoken for size in range(1, len(syllable) + 1)),
    )


def _dictionary() -> dict[str, tuple[str, str]]:
    spec = importlib.util.find_spec("pypinyin")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pypinyin")
    with (Path(spec.origin).parent / "pinyin_dict.json").open(encoding="utf-8") as file:
        known = {chr(int(code)): written for code, written in json.load(file).items() if _FIRST <= int(code) <= _LAST}
    toneless: dict[str, str] = {}
    found = {}
    for sign, written in known.items():
        said = written.partition(",")[0]
        if said not in toneless:
            toneless[said] = _toneless(said)
        found[sign] = (toneless[said], toneless[said])
    return found | dict(READ_IN_TWO_WAYS)


def _toneless(syllable: str) -> str:
    apart = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(sign for sign in apart if sign.isascii() and sign.isalpha()).lower() or "e"


@lru_cache(maxsize=512)
def _beginning_with(letters: str) -> frozenset[int]:
    table = sounds().syllables
    return frozenset(at for at, syllable in enumerate(table) if at and syllable.lstrip("'").startswith(letters))


class Piece(NamedTuple):
    """Some letters of what was typed: a whole syllable, or only its beginning."""

    letters: str
    whole: bool


class Split(NamedTuple):
    """One way to cut letters into syllables; ``cut_short`` counts those before the last of which only the beginning was typed."""

    pieces: tuple[Piece, ...]
    cut_short: int


@lru_cache(maxsize=1024)
def splits(letters: str) -> tuple[Split, ...]:
    """Return the likeliest ways to cut letters into syllables, those with the most whole syllables first; none for no pinyin.

    The last piece may be the beginning of a syllable: guoq is guo and q. So may others be, as initials: gql, gquanl.
    """
    known = sounds()
    best: dict[int, list[Split]] = {len(letters): [Split((), 0)]}
    for start in range(len(letters) - 1, -1, -1):
        found = []
        for end in range(start + 1, min(len(letters), start + _LONGEST_SYLLABLE) + 1):
            piece = letters[start:end]
            if end == len(letters):
                if piece in known.beginnings:
                    found.append(Split((Piece(piece, piece in known.spoken),), 0))
                continue
            # a is a syllable and the initial of an.
            for whole in (True, False):
                if piece in (known.spoken if whole else _INITIALS):
                    first = Piece(piece, whole)
                    found += [Split((first, *rest.pieces), rest.cut_short + (not whole)) for rest in best[end]]
        found.sort(key=lambda split: (split.cut_short, len(split.pieces)))
        best[start] = found[:_SPLITS_KEPT]
    return tuple(best[0]) if letters else ()
