"""The declared maps of supervisors and their indicators, found in the ``watch`` module of every installed app."""

from __future__ import annotations

from functools import cache

from django.http import QueryDict

from geo.declared import by_key, declarations
from geo.errors import NotFound
from services.kernel.ledger.asking import read_asked
from services.kernel.ledger.registry import ledgers
from services.kernel.watching.spec import Indicator, Theme


@cache
def themes() -> dict[str, Theme]:
    """Return the declared maps by key; two with the same key are a programming error."""
    return by_key(declarations("watch", "THEMES", needed=False), "map")


def theme_of(key: str) -> Theme:
    """Return a map by key. Raises ``NotFound``."""
    found = themes().get(key)
    if found is None:
        raise NotFound("theme_unknown", "没有这张监管图，请从“办理”的菜单里打开。")
    return found


@cache
def indicators_of(theme: Theme) -> tuple[Indicator, ...]:
    """Return the indicators of a map in their order.

    Raises ``ValueError`` for one declared twice, and for one whose ledger cannot be asked so or told so.
    """
    every = declarations("watch", "INDICATORS", needed=False)
    found = by_key((each for each in every if not each.themes or theme.key in each.themes), "indicator")
    for each in found.values():
        _check(each)
    return tuple(sorted(found.values(), key=lambda each: (each.order, each.key)))


def _check(each: Indicator) -> None:
    spec = ledgers().get(each.ledger)
    if spec is None or not spec.region:
        raise ValueError(f"the indicator {each.key} counts {each.ledger}, which is no ledger of regions")
    if odd := [key for key in each.tells if spec.column(key) is None]:
        raise ValueError(f"the indicator {each.key} tells {odd[0]}, which is no column of {each.ledger}")
    asked = QueryDict(mutable=True)
    for name, value in each.asks:
        asked.appendlist(name, "2026-01-01" if value.startswith("{") else value)
    read_asked(asked, spec)
