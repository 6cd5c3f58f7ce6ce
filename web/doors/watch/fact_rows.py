"""The rows behind a figure of a fact: the address of its ledger that lists just these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import h3
from django.urls import reverse

from geo.scope import Scope
from layers.facts.counting import Period
from layers.facts.spec import FactSpec
from services.facilities.kinds import all_kinds
from services.kernel.ledger.asking import MOST_CORNERS
from services.kernel.ledger.registry import ledgers, may_open
from services.kernel.spec import LedgerSpec

FINEST: Final = 10
"""The resolution of the cells that rows are stored with."""
_KIND: Final = "f.kind_id"


def ledger_of(spec: FactSpec, *, scope: Scope) -> LedgerSpec | None:
    """Return the ledger of the rows of a fact, none where a scope may not open one."""
    found = ledgers().get(spec.ledger)
    return found if found and may_open(found, scope) else None


def rows_query(spec: FactSpec, period: Period | None, *, region: str = "") -> str:
    """Return the parameters of the ledger's address that list the rows of a figure."""
    return urlencode([*_pairs(spec, period), ("region", region)])


def rows_address(
    spec: FactSpec,
    period: Period | None,
    choices: Mapping[str, Sequence[str]],
    *,
    scope: Scope,
    region: str = "",
    cell: int | None = None,
) -> str:
    """Return the address that lists the rows of a figure of a region or of a cell, '' where none does."""
    ledger = ledger_of(spec, scope=scope)
    pairs = _narrowed(_pairs(spec, period), choices)
    if ledger is None or pairs is None:
        return ""
    if cell is not None:
        corners = _corners(cell)
        if not ledger.point or len(corners) > MOST_CORNERS:
            return ""
        pairs.append(("area", ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in corners)))
    else:
        pairs.append(("region", region))
    return f"{reverse('desk-ledger', args=[ledger.key])}?{urlencode(pairs, safe=',;')}"


def _pairs(spec: FactSpec, period: Period | None) -> list[tuple[str, str]]:
    days = {"first": period.first.isoformat(), "last": period.last.isoformat()} if period else {}
    return [(name, value.format(**days)) for name, value in spec.asked]


def _narrowed(pairs: list[tuple[str, str]], choices: Mapping[str, Sequence[str]]) -> list[tuple[str, str]] | None:
    """Return parameters for chosen kinds only; none where a choice cannot be said to a ledger."""
    kinds = list(choices.get("kinds", ()))
    if not any(choices.values()):
        return pairs
    if not kinds or len([each for each in choices.values() if each]) > 1:
        return None
    if not set(kinds) <= {kind.key for kind in all_kinds()}:
        return None
    return [*(pair for pair in pairs if pair[0] != _KIND), *((_KIND, kind) for kind in kinds)]


def _corners(cell: int) -> Sequence[tuple[float, float]]:
    """Return the corners (lon, lat) of all the finest cells of a cell together: those its rows were counted by."""
    name = h3.int_to_str(cell)
    parts = h3.cell_to_children(name, FINEST) if h3.get_resolution(name) < FINEST else [name]
    shape = h3.cells_to_h3shape(list(parts))
    return [(lon, lat) for lat, lon in shape.outer]
