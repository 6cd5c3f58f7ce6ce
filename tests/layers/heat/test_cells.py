"""Heat by cell: counted as a loop would, told whole or not at all, and attacked with everything that is told."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from geo.errors import BadInput
from geo.grids.cells import parent
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers.disclosure import K
from layers.facts.counting import Period
from layers.heat import cells as cells_module
from layers.heat import keeping
from layers.heat.cells import CellHeat, cell_heat, change_of_cells, regions_of
from layers.heat.periods import block_at, blocks, check_tellable
from layers.heat.regional import region_heat
from tests.layers.heat.events import NOBODY, PERSONS, Event, first_of, make_events, month_ago

ALL = Scope(paths=("",), duties=frozenset({"*"}))
RESOLUTIONS = (7, 8, 9, 10)


def persons_in(events: list[Event], resolution: int, period: Period) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for event in events:
        if period.since <= event.at < period.until:
            found[parent(event.cell, resolution)].add(event.person)
    return found


def rows_in(events: list[Event], resolution: int, period: Period) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for event in events:
        if period.since <= event.at < period.until:
            found[parent(event.cell, resolution)] += 1
    return found


def figures(heat: CellHeat) -> dict[int, float]:
    return dict(zip(heat.cells.tolist(), heat.values.tolist(), strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_told_figures_are_those_of_the_rows_and_of_ten_persons_at_least(seed: int, city: None) -> None:
    events = make_events(4000, seed)
    for resolution in RESOLUTIONS:
        told = figures(cell_heat(PERSONS, scope=ALL, resolution=resolution, period=month_ago(1)))
        rows, persons = rows_in(events, resolution, month_ago(1)), persons_in(events, resolution, month_ago(1))
        assert told, "nothing told proves nothing"
        assert all(rows[cell] == value and len(persons[cell]) >= K for cell, value in told.items())


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_what_zooms_leave_of_each_other_is_of_ten_persons_at_least(seed: int, city: None) -> None:
    """The attacker takes from every told cell all told cells inside it, at each finer zoom: what is left is nobody or enough."""
    events = make_events(4000, seed)
    told = {r: figures(cell_heat(PERSONS, scope=ALL, resolution=r, period=month_ago(1))) for r in RESOLUTIONS}
    hidden = 0
    for coarse, fine in combinations(RESOLUTIONS, 2):
        of_fine = persons_in(events, fine, month_ago(1))
        for cell in told[coarse]:
            left = [
                who for small, who in of_fine.items() if parent_at(small, coarse) == cell and small not in told[fine]
            ]
            hidden += len(left)
            assert not left or (len(left) > 1 and len(set().union(*left)) >= K)
        assert {parent_at(cell, coarse) for cell in told[fine]} <= set(told[coarse])
    assert hidden


def parent_at(cell: int, resolution: int) -> int:
    """Return the parent of a cell of any finer resolution, by the library itself."""
    import h3

    return int(h3.str_to_int(h3.cell_to_parent(h3.int_to_str(cell), resolution)))


def test_of_all_pairs_of_days_only_whole_months_that_are_over_are_told_and_they_never_overlap() -> None:
    today = dt.date(2026, 11, 23)
    days = [dt.date(2026, 8, 20) + dt.timedelta(days=number) for number in range(110)]
    told = []
    for first, last in combinations(days, 2):
        try:
            check_tellable(PERSONS, Period(first, last), {}, today=today)
        except BadInput:
            continue
        told.append(Period(first, last))
    assert told == [block_at("month", dt.date(2026, month, 1)) for month in (9, 10)]
    span = Period(days[0], days[-1])
    assert blocks(PERSONS, "month", span, today=today) == [
        block_at("month", dt.date(2026, month, 1)) for month in (8, 9, 10)
    ]
    assert [one.first.month for one in blocks(NOBODY, "month", span, today=today)] == [8, 9, 10, 11, 12]
    assert len(blocks(NOBODY, "day", span, today=today)) == 110
    weeks = blocks(NOBODY, "week", span, today=today)
    assert all(one.first.weekday() == 0 and (one.last - one.first).days == 6 for one in weeks)
    assert weeks[0].first <= span.first
    assert weeks[-1].last >= span.last


def test_persons_are_not_narrowed_nor_told_of_today_nor_by_region_too(city: None) -> None:
    make_events(200, 7)
    standing = replace(PERSONS, moment="")
    for refused in (
        lambda: cell_heat(PERSONS, scope=ALL, resolution=9),
        lambda: cell_heat(PERSONS, scope=ALL, resolution=9, period=block_at("month", timezone.localdate())),
        lambda: cell_heat(PERSONS, scope=ALL, resolution=9, period=block_at("day", first_of(1))),
        lambda: cell_heat(PERSONS, scope=ALL, resolution=9, period=month_ago(1), choices={"kinds": ["x"]}),
        lambda: cell_heat(PERSONS, scope=ALL, resolution=6, period=month_ago(1)),
        lambda: cell_heat(NOBODY, scope=ALL, resolution=11),
        lambda: cell_heat(standing, scope=ALL, resolution=9),
        lambda: region_heat(PERSONS, scope=ALL, level="street", period=month_ago(1)),
        lambda: cell_heat(replace(PERSONS, cell=""), scope=ALL, resolution=9, period=month_ago(1)),
    ):
        with pytest.raises(BadInput):
            refused()


@pytest.mark.parametrize("seed", [8, 9])
def test_scopes_are_parts_of_one_table_whoever_asks(seed: int, city: None) -> None:
    """Two districts taken from the city leave whole cells, never the rows of a neighbour in a cell on the border."""
    make_events(4000, seed)
    districts = RegionVersion.objects.filter(edition__state="published", level="district").values_list(
        "path", flat=True
    )
    told = figures(cell_heat(PERSONS, scope=ALL, resolution=8, period=month_ago(1)))
    parts = []
    for path in districts:
        mine = Scope(paths=(path,), duties=frozenset({"facilities.view"}))
        some = figures(cell_heat(PERSONS, scope=mine, resolution=8, period=month_ago(1)))
        assert all(told[cell] == value for cell, value in some.items())
        assert all(region.startswith(path) for region in regions_of(np.array(list(some), dtype=np.int64)))
        parts.append(set(some))
    assert len(set().union(*parts)) == sum(len(part) for part in parts) > 0
    everyone = cell_heat(replace(PERSONS, duty=""), scope=Scope.public(), resolution=8, period=month_ago(1))
    assert figures(everyone) == told


def test_a_city_smaller_than_k_is_told_nothing_of(city: None) -> None:
    make_events(400, 10)
    found = cells_module._decided(PERSONS, ALL, month_ago(1), least=100_000)
    assert all(not len(heat.cells) and heat.hidden for heat in found.values())


def test_a_period_without_rows_has_no_cells_and_hides_none(city: None) -> None:
    make_events(200, 11)
    found = cell_heat(PERSONS, scope=ALL, resolution=9, period=month_ago(30))
    assert not len(found.cells)
    assert not found.hidden


def test_a_change_of_persons_is_told_where_both_figures_are_and_of_acts_everywhere(city: None) -> None:
    events = make_events(4000, 12)
    before = month_ago(2)
    now, then = (cell_heat(PERSONS, scope=ALL, resolution=8, period=period) for period in (month_ago(1), before))
    change = figures(change_of_cells(PERSONS, now, then))
    assert change == {
        cell: figures(now)[cell] - figures(then)[cell] for cell in figures(now).keys() & figures(then).keys()
    }
    now, then = (cell_heat(NOBODY, scope=ALL, resolution=8, period=period) for period in (month_ago(1), before))
    rows = [rows_in(events, 8, period) for period in (month_ago(1), before)]
    every = rows[0].keys() | rows[1].keys()
    assert figures(change_of_cells(NOBODY, now, then)) == {
        cell: rows[0].get(cell, 0) - rows[1].get(cell, 0) for cell in every
    }


def test_what_was_counted_is_counted_once_until_a_row_changes(city: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_events(300, 13)
    counted = []
    real = cells_module.count_by_cell
    monkeypatch.setattr(cells_module, "count_by_cell", lambda *args, **words: counted.append(1) or real(*args, **words))
    first = cell_heat(NOBODY, scope=ALL, resolution=9, period=month_ago(1))
    assert cell_heat(NOBODY, scope=ALL, resolution=9, period=month_ago(1)) is first
    keeping._HELD.clear()
    assert figures(cell_heat(NOBODY, scope=ALL, resolution=9, period=month_ago(1))) == figures(first)
    assert len(counted) == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM test_events WHERE person = (SELECT min(person) FROM test_events)")
    cell_heat(NOBODY, scope=ALL, resolution=9, period=month_ago(1))
    assert len(counted) == 2
