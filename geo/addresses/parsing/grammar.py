"""The grammar of [市][区][街镇] 路 弄 支弄 号 幢 单元 层 室 as small steps in the order of ``data/grammar.toml``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from geo.addresses.parsing.asides import Draft, join_names, open_brackets, set_aside_contacts, set_aside_near
from geo.addresses.parsing.assembly import assemble
from geo.addresses.parsing.knowledge import NO_NAMES, Gazetteer
from geo.addresses.parsing.parts import Ignored, Parsed, Parts, Token
from geo.addresses.parsing.vocabulary import vocabulary
from geo.addresses.parsing.writing import fold

Step = Callable[[Draft], None]


def read(text: str, gazetteer: Gazetteer = NO_NAMES) -> Parsed:
    """Return everything one field says: its addresses with tokens, confidence and other readings, and what was ignored and why.

    Never raises, whatever is written, and takes time in proportion to the length. An empty field has no address and the note
    ``empty``; a field of several has the note ``several``.
    """
    draft = Draft(text, gazetteer)
    for step in STEPS:
        step(draft)
    notes = () if len(draft.readings) == 1 else ("several",) if draft.readings else ("empty",)
    return Parsed(text, tuple(draft.readings), tuple(draft.ignored), notes)


def parse(text: str, gazetteer: Gazetteer = NO_NAMES) -> Parts:
    """Return the parts of the first address of a field in its likeliest reading; empty parts when nothing was understood."""
    return read(text, gazetteer).parts


def fold_signs(draft: Draft) -> None:
    """Bring signs to one form and leave blanks and pictures out."""
    draft.body, draft.at, draft.ignored = fold(draft.text)


def read_runs(draft: Draft) -> None:
    """Read names and numbers into addresses, and give every piece its place in the original text."""
    found = assemble(draft.text, draft.body, draft.gazetteer)
    if draft.body == draft.text:
        draft.ignored += found.ignored
        draft.readings = found.readings
        return
    at = draft.at if draft.at is not None else range(len(draft.body))
    for piece in found.ignored:
        placed = draft.piece(piece.reason, at[piece.start], at[piece.end - 1] + 1)
        # The comma that keeps two numbers apart may have been a blank.
        draft.ignored.append(placed if placed.written.strip() else placed._replace(reason="blank"))
    for reading in found.readings:
        tokens = (_placed(token, draft.text, at[token.start], at[token.end - 1] + 1) for token in reading.tokens)
        draft.readings.append(reading._replace(tokens=tuple(tokens)))


def _placed(token: Token, text: str, start: int, end: int) -> Token:
    return Token(token.kind, text[start:end], token.value, start, end)


def account_for_all(draft: Draft) -> None:
    """Name every character that no token and no ignored piece covers."""
    covered = [(token.start, token.end) for reading in draft.readings for token in reading.tokens]
    covered += [(piece.start, piece.end) for piece in draft.ignored]
    covered.sort()
    done = 0
    for start, end in covered:
        if start > done:
            draft.ignored.append(_unread(draft, done, start))
        done = max(done, end)
    if done < len(draft.text):
        draft.ignored.append(_unread(draft, done, len(draft.text)))
    if len(draft.ignored) > 1:
        draft.ignored.sort(key=lambda piece: (piece.start, piece.end))


def _unread(draft: Draft, start: int, end: int) -> Ignored:
    return draft.piece("unread" if any(char.isalnum() for char in draft.text[start:end]) else "punctuation", start, end)


_BY_NAME: Final[dict[str, Step]] = {
    step.__name__: step
    for step in (fold_signs, set_aside_contacts, open_brackets, join_names, set_aside_near, read_runs, account_for_all)
}
STEPS: Final[tuple[Step, ...]] = tuple(_BY_NAME[name] for name in vocabulary().grammar["steps"])
"""The steps in their order."""
