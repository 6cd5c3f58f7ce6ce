"""The facts there are: declared in the ``map_facts`` module of installed apps."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from geo.errors import NotFound
from geo.scope import Scope
from layers.facts.spec import FactSpec


@cache
def facts() -> dict[str, FactSpec]:
    """Return all declared facts by key; two with the same key are a programming error."""
    found: dict[str, FactSpec] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.map_facts"
        if find_spec(name) is None:
            continue
        for declared in import_module(name).FACTS:
            if found.setdefault(declared.key, declared) is not declared:
                raise ValueError(f"the fact {declared.key} is declared twice")
    return found


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
    return spec.public or (scope.holds(spec.duty) and bool(scope.paths))
