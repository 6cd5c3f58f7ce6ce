"""Conditions of forms, compiled once: whether they hold, what they read, how they are said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from services.kernel.expressions import Expression, ExpressionFault, Kind
from services.kernel.forms.spec import When


@lru_cache(maxsize=4096)
def _compiled(text: str, names: frozenset[tuple[str, Kind]]) -> Expression:
    return Expression.condition(text, dict(names))


def holds(when: When, kinds: Mapping[str, Kind], facts: Mapping[str, object]) -> bool:
    """Say whether a condition holds; one that cannot be computed for these facts does not."""
    reads = frozenset((name, kinds[name]) for name in names_of(when) if name in kinds)
    try:
        return _compiled(when.text(kinds), reads).holds(facts)
    except ExpressionFault:
        return False


def names_of(when: When) -> frozenset[str]:
    """Return the names of the facts that a condition reads."""
    data = when.data()
    found: set[str] = set()
    _collect(data, found)
    return frozenset(found)


def words_of(
    when: When,
    kinds: Mapping[str, Kind],
    labels: Mapping[str, str],
    choices: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return a condition in Chinese; ``choices`` names the labels of the codes of each fact."""
    return when.expression(kinds).words(labels, choices)


def _collect(data: object, found: set[str]) -> None:
    if not isinstance(data, dict):
        return
    if isinstance(data.get("field"), str):
        found.add(data["field"])
    for inner in (*data.get("all", ()), *data.get("any", ())):
        _collect(inner, found)
