"""The declared kinds of visits, found in the ``visit_kinds`` module of every installed app."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import BadInput
from services.fencing.checkins.spec import VisitKind


@cache
def visit_kinds() -> dict[str, VisitKind]:
    """Return every kind by its key, in the order of the apps; one declared twice is a programming error."""
    return by_key(declarations("visit_kinds", "VISIT_KINDS"), "kind of visit")


def visit_kind(key: str) -> VisitKind:
    """Return a kind. Raises ``BadInput`` for one that nobody declares."""
    if key not in visit_kinds():
        raise BadInput("visit_kind_unknown", "没有这种上门服务，请从列表里选。", field="kind")
    return visit_kinds()[key]


def kind_choices() -> tuple[tuple[str, str], ...]:
    """Return the kinds as choices of a ledger."""
    return tuple((kind.key, kind.title) for kind in visit_kinds().values())
