"""The facts there are: declared in the ``map_facts`` module of installed apps."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import NotFound
from geo.scope import Scope
from layers.facts.spec import FactSpec


@cache
def facts() -> dict[str, FactSpec]:
    """Return all declared facts by key; two with the same key are a programming error."""
    return by_key(declarations("map_facts", "FACTS"), "fact")


def visible_facts(*, scope: Scope) -> list[FactSpec]:
    """Return every fact whose figures a scope may see."""
    return [one for one in facts().values() if may_see(one, scope)]


def fact(key: str, *, scope: Scope) -> FactSpec:
    """Return one fact. Raises ``NotFound``, also for a fact this scope may not see."""
    found = facts().get(key)
    if found is None or not may_see(found, scope):
        known = sorted(one.key for one in visible_facts(scope=scope))
        raise NotFound("fact_unknown", "没有这项统计。", known=known)
    return found


def may_see(spec: FactSpec, scope: Scope) -> bool:
    """Say whether a scope may see figures of a fact at all; which regions count is narrowed by ``layers.facts.counting``."""
    if spec.over is not None and not may_see(spec.over, scope):
        return False
    return not spec.duty or (scope.holds(spec.duty) and bool(scope.paths))
