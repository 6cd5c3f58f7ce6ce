"""A rule set that is declared while a test runs, and people who keep it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from geo.regions.models import Region
from geo.scope import Scope
from services.kernel.rules.registry import rule_sets
from services.kernel.rules.spec import RuleSetSpec
from tests.services.kernel.rules import tables


@pytest.fixture
def who() -> Iterator[RuleSetSpec]:
    """Declare the reference rule set."""
    with declared(tables.spec()) as spec:
        yield spec


@contextmanager
def declared(spec: RuleSetSpec) -> Iterator[RuleSetSpec]:
    """Declare a rule set for a while, as an app does for good."""
    rule_sets()[spec.key] = spec
    try:
        yield spec
    finally:
        del rule_sets()[spec.key]


def region(code: str) -> Region:
    return Region.objects.get(versions__code=code, versions__edition__state="published")


def scope(*duties: str, path: str = "310000.", actor: str = "shi") -> Scope:
    return Scope(paths=(path,), duties=frozenset(duties or ("rules.view", "rules.edit")), actor=actor)
