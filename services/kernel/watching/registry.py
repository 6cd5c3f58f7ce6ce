"""The declared maps of supervisors and their indicators, found in the ``watch`` module of every installed app."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.http import QueryDict

from geo.errors import NotFound
from services.kernel.ledger.asking import read_asked
from services.kernel.ledger.registry import ledgers
from services.kernel.watching.spec import Indicator, Theme


@cache
def themes() -> dict[str, Theme]:
    """Return the declared maps by key; two with the same key are a programming error."""
    found: dict[str, Theme] = {}
    for module in _declarations():
        for theme in getattr(module, "THEMES", ()):
            if found.setdefault(theme.key, theme) is not theme:
                raise ValueError(f"the map {theme.key} is declared twice")
    return found


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
    found: dict[str, Indicator] = {}
    for module in _declarations():
        for each in getattr(module, "INDICATORS", ()):
            if each.themes and theme.key not in each.themes:
                continue
            if found.setdefault(each.key, each) is not each:
                raise ValueError(f"the indicator {each.key} is declared twice")
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


def _declarations() -> Iterator[Any]:
    for app in apps.get_app_configs():
        name = f"{app.name}.watch"
        if find_spec(name) is not None:
            yield import_module(name)
