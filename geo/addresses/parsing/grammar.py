"""The grammar of [市][区][街镇] 路 弄 支弄 号 幢 单元 层 室 as small steps in the order of ``data/grammar.toml``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from geo.addresses.parsing.asides import join_names, open_brackets, set_aside_contacts, set_aside_near
from geo.addresses.parsing.assembly import assemble
from geo.addresses.parsing.fields import Field
from geo.addresses.parsing.knowledge import NO_NAMES, Gazetteer
from geo.addresses.parsing.parts import Ignored, Parsed, Parts, Token
from geo.addresses.parsing.rendering import LONGEST
from geo.addresses.parsing.vocabulary import vocabulary
from geo.addresses.parsing.writing import fold

Step = Callable[[Field], None]


def read(text: str, gazetteer: Gazetteer = NO_NAMES) -> Parsed:
    """Return everything one field says: its addresses with tokens, confidence and other readings, and what was ignored and why.

    Never raises, whatever is written, and takes time in proportion to the length. An empty field has no address and the note
    ``empty``, a field of several ``several``, one beyond 200 characters ``too_long``.
    """
    field = Field(text, gazetteer)
    for step in STEPS:
        step(field)
    notes = [] if len(field.readings) == 1 else ["several"] if field.readings else ["empty"]
    if len(text) > LONGEST:
        notes.append("too_long")
    return Parsed(text, tuple(field.readings), tuple(field.ignored), tuple(notes))


def parse(text: str, gazetteer: Gazetteer = NO_NAMES) -> Parts:
    """Return the parts of the first address of a field in its likeliest reading; empty parts when nothing was understood."""
    return read(text, gazetteer).parts


def fold_signs(field: Field) -> None:
    """Bring signs to one form and leave blanks and pictures out."""
    field.body, field.at, field.ignored = fold(field.text)


def read_runs(field: Field) -> None:
    """Read names and numbers into addresses, and give every piece its place in the original text."""
    found = assemble(field.text, field.body, field.gazetteer)
    if field.body == field.text:
        field.ignored += found.ignored
        field.readings = found.readings
        return
    at = field.at if field.at is not None else range(len(field.body))
    for piece in found.ignored:
        placed = field.piece(piece.reason, at[piece.start], at[piece.end - 1] + 1)
        # The comma that keeps two numbers apart may have been a blank.
        field.ignored.append(placed if placed.written.strip() else placed._replace(reason="blank"))
    for reading in found.readings:
        tokens = (_placed(token, field.text, at[token.start], at[token.end - 1] + 1) for token in reading.tokens)
        field.readings.append(reading._replace(tokens=tuple(tokens)))


def _placed(token: Token, text: str, start: int, end: int) -> Token:
    return Token(token.kind, text[start:end], token.value, start, end)


def account_for_all(field: Field) -> None:
    """Name every character that no token and no ignored piece covers."""
    if not field.ignored and len(field.readings) == 1 and _joined(field.readings[0].tokens) == len(field.text):
        return
    covered = [(token.start, token.end) for reading in field.readings for token in reading.tokens]
    covered += [(piece.start, piece.end) for piece in field.ignored]
    covered.sort()
    done = 0
    for start, end in covered:
        if start > done:
            field.ignored.append(_unread(field, done, start))
        done = max(done, end)
    if done < len(field.text):
        field.ignored.append(_unread(field, done, len(field.text)))
    if len(field.ignored) > 1:
        field.ignored.sort(key=lambda piece: (piece.start, piece.end))


def _joined(tokens: Sequence[Token]) -> int:
    """Return how many characters from the first on are covered by tokens that follow each other without a gap."""
    done = 0
    for token in tokens:
        if token.start != done:
            break
        done = token.end
    return done


def _unread(field: Field, start: int, end: int) -> Ignored:
    return field.piece("unread" if any(char.isalnum() for char in field.text[start:end]) else "punctuation", start, end)


_BY_NAME: Final[dict[str, Step]] = {
    step.__name__: step
    for step in (fold_signs, set_aside_contacts, open_brackets, join_names, set_aside_near, read_runs, account_for_all)
}
STEPS: Final[tuple[Step, ...]] = tuple(_BY_NAME[name] for name in vocabulary().grammar["steps"])
"""The steps in their order."""
