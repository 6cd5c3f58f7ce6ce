"""How a long Chinese text is found by any words in it: by pairs of characters in their order, and by whole Latin words. Pure.

Pairs need no dictionary, so new names are found the day they appear; asked for in order, they match exactly the typed words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST_TEXT: Final = 14_000
"""Positions of a tsvector end at 16,383."""
MOST_TERMS: Final = 8
RUN: Final = re.compile(r"[a-z0-9]+|[^\W\da-z_]+")


def _runs(text: str) -> Iterator[str]:
    """Yield the words of Latin letters and digits, and the runs of other letters between marks and blanks."""
    folded = unicodedata.normalize("NFKC", text).lower()
    for found in RUN.finditer(folded):
        yield found[0]


def _pieces(run: str) -> list[str]:
    """Return a Latin word whole; a Chinese run as the pairs from each character, the last one alone."""
    return [run] if run.isascii() else [run[at : at + 2] for at in range(len(run))]


def as_vector(parts: Iterable[tuple[str, str]]) -> str:
    """Return texts with their weights (A to D) as the writing of a tsvector; one number in the order for each piece."""
    places: dict[str, list[str]] = {}
    at = 0
    for weight, text in parts:
        for run in _runs(text[:LONGEST_TEXT]):
            for piece in _pieces(run):
                at += 1
                if at < 16_000:
                    places.setdefault(piece, []).append(f"{at}{weight}")
            at += 1  # runs do not touch: no words across a mark
    # the database keeps 255 places of a piece
    return " ".join(f"'{piece}':{','.join(found[:255])}" for piece, found in places.items())


def as_query(typed: str) -> str:
    """Return what was typed as the writing of a tsquery: all words, each in its order; '' when there is nothing to look for."""
    terms = []
    for run in list(dict.fromkeys(_runs(typed[:100])))[:MOST_TERMS]:
        pieces = _pieces(run)
        if run.isascii() or len(run) == 1:
            terms.append(f"'{run}':*")
        else:
            terms.append("(" + " <-> ".join(f"'{piece}'" for piece in pieces[:-1]) + ")")
    return " & ".join(terms)


def terms_of(typed: str) -> list[str]:
    """Return the words that were looked for, for marking them in what was found."""
    return list(dict.fromkeys(_runs(typed[:100])))[:MOST_TERMS]


def marked(text: str, terms: Iterable[str]) -> list[tuple[str, bool]]:
    """Return a text in pieces, those that were looked for told apart."""
    found = [re.escape(term) for term in sorted(terms, key=len, reverse=True) if term]
    if not found:
        return [(text, False)]
    pieces = re.split(f"({'|'.join(found)})", text, flags=re.IGNORECASE)
    return [(piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece]


def excerpt(text: str, terms: Iterable[str], size: int = 120) -> str:
    """Return the part of a text around the first word that was looked for, or its beginning, on one line."""
    flat = " ".join(text.split())
    low = flat.lower()
    at = min((place for term in terms if (place := low.find(term)) >= 0), default=0)
    begin = max(0, at - size // 4)
    return ("…" if begin else "") + flat[begin : begin + size] + ("…" if begin + size < len(flat) else "")
