"""How names are made searchable: the short pieces and the pinyin by which people begin to type them. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST_NAME: Final = 60
LONGEST_GRAM: Final = 24
MOST_GRAMS: Final = 200


def plain(text: str) -> str:
    """Return a text as it is compared: full-width forms made narrow, lower case, no spaces and no punctuation."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in folded if sign.isalnum())


@lru_cache(maxsize=20_000)
def _grams(text: str) -> tuple[str, ...]:
    # Its dictionaries take a quarter of a second to load, and most processes never need them.
    from pypinyin import Style, lazy_pinyin

    name = plain(text[: LONGEST_NAME * 2])[:LONGEST_NAME]
    if not name:
        return ()
    found = dict.fromkeys(name)
    found.update(dict.fromkeys(name[at : at + 2] for at in range(len(name) - 1)))
    syllables = [syllable.lower() for syllable in lazy_pinyin(name, style=Style.NORMAL)]
    initials = "".join(syllable[0] for syllable in syllables if syllable)
    found.update(dict.fromkeys(_beginnings(initials, "".join(syllables), *re.findall(r"[a-z0-9]{3,}", name))))
    return tuple(list(found)[:MOST_GRAMS])


def grams(text: str) -> list[str]:
    """Return the pieces a name is found by, without repetition and in a stable order.

    One- and two-character pieces of ``plain(text)``, then its pinyin, its initials and its Latin words, each with every
    beginning of two letters and more, cut at 24 letters: a search looks for one piece of what was typed. At most 200 pieces.
    """
    return list(_grams(text))


def _beginnings(*words: str) -> list[str]:
    return [word[:size] for word in words for size in range(min(len(word), LONGEST_GRAM), 1, -1)]


def query_grams(text: str) -> list[str]:
    """Return the pieces that a name must have all of to match what was typed; empty when nothing can be searched.

    Chinese is looked up by its two-character pieces (one character alone by itself), Latin letters as one spoken beginning.
    """
    typed = plain(text[: LONGEST_NAME * 2])[:LONGEST_NAME]
    if not typed:
        return []
    if typed.isascii() and typed.isalpha() and len(typed) > 2:
        return [typed[:LONGEST_GRAM]]
    if len(typed) == 1:
        return [typed]
    return list(dict.fromkeys(typed[at : at + 2] for at in range(len(typed) - 1)))
