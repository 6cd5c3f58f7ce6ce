"""Roles with the duties that apps add to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.access import roles as declared
from services.access.roles import ROLES, Duty, RoleDeclaration, roles


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what was read, before the test and after it."""
    roles.cache_clear()
    yield
    roles.cache_clear()


def _with(monkeypatch: pytest.MonkeyPatch, *duties: Duty) -> dict[str, RoleDeclaration]:
    monkeypatch.setattr(declared, "added_duties", lambda: duties)
    return {role.key: role for role in roles()}


def test_an_added_duty_stands_behind_those_of_its_roles(monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    found = _with(monkeypatch, Duty("ponds.view", "看池塘", ("street_clerk", "planner")))
    before = {role.key: role.duties for role in ROLES}
    for key, role in found.items():
        added = ("ponds.view",) if key in {"street_clerk", "planner"} else ()
        assert role.duties == before[key] + added


@pytest.mark.parametrize(
    ("duties", "said"),
    [
        ((Duty("ponds.view", "看池塘", ("nobody",)),), "unknown role nobody"),
        ((Duty("facilities.view", "看设施", ()),), "declared twice"),
        ((Duty("ponds.view", "看池塘", ()), Duty("ponds.view", "看池塘", ())), "declared twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    monkeypatch: pytest.MonkeyPatch, fresh: None, duties: tuple[Duty, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        _with(monkeypatch, *duties)
