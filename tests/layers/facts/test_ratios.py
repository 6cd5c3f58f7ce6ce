"""Facts that are ratios: of two facts, or worked out by their owner; told where both parts are, never added up, never of few."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geo.errors import BadInput, NotFound
from geo.scope import Scope
from layers.choropleths.queries import Asked, board_of
from layers.choropleths.spec import Figure, Measure, Standing, month_before
from layers.disclosure import K
from layers.facts.counting import count_by_region, edition_of_fact
from layers.facts.registry import fact, facts, may_see
from layers.heat.regional import region_heat
from services.facilities.map_facts import PLACES
from services.facilities.models import Facility
from services.gaps.queries import board as gaps_board
from services.gaps.queries import question_of
from services.modules.finder.models import PlaceReport
from tests.layers.choropleths.samples import last_month, report_places, use_finder, versions
from tests.layers.choropleths.test_board import ALL, board, places_by, values
from tests.layers.heat.events import month_ago
from tests.services.gaps.measured import KIND, STAFF, few_kinds, measure

HUANGPU = "310000.310101."
pytestmark = pytest.mark.usefixtures("city")


def reports_by(level: str) -> dict[str, int]:
    found: dict[str, int] = {}
    last = last_month()
    for report in PlaceReport.objects.filter(created_at__month=last.month, created_at__year=last.year):
        code = next(
            each.code for each in versions(level) if report.region.versions.filter(path__startswith=each.path).exists()
        )
        found[code] = found.get(code, 0) + 1
    return found


def test_reports_per_place_are_reports_divided_by_places() -> None:
    report_places(0, 9, 14)
    reports, places = reports_by("district"), places_by("district")
    found = board("reports_per_place", month=last_month())
    told = values(found)
    assert sum(reports.values()) == 9
    for code, value in told.items():
        expected = round(100 * reports.get(code, 0) / places[code], 1) if places[code] else None
        assert value == expected, code
    assert None in told.values()  # a district without a place has none, not 0
    assert found.total.value == round(100 * 9 / sum(places.values()), 1)
    assert found.total.value != sum(value or 0 for value in told.values())
    assert found.rate.standing is Standing.NONE
    changes = board("reports_per_place", month=last_month(), measure=Measure.CHANGE)
    before = values(board("reports_per_place", month=month_before(last_month())))
    for code, value in values(changes).items():
        old, new = before[code], told[code]
        assert value == (None if old is None or new is None else pytest.approx(new - old, abs=0.06))
    heat = region_heat(fact("reports_per_place", scope=ALL), scope=ALL, level="district", period=month_ago(1))
    by_code = {path.split(".")[1]: value for path, value in heat.values.items()}
    for code, value in told.items():
        assert by_code[code] == (None if value is None else pytest.approx(value, abs=0.06))


def test_the_share_of_unconfirmed_places_is_of_those_asked() -> None:
    found = values(board("unconfirmed_share"))
    stale, asked = fact("unconfirmed", scope=ALL), fact("unconfirmed_share", scope=ALL).over
    assert asked is not None
    upper = count_by_region(stale, scope=ALL, level="district")
    lower = count_by_region(asked, scope=ALL, level="district")
    assert lower
    for path, tally in lower.items():
        share = found[path.split(".")[1]]
        assert share == round(100 * (upper[path].rows if path in upper else 0) / tally.rows, 1)
        assert share is not None
        assert 0 <= share <= 100


@pytest.mark.parametrize("measure", [Measure.RATE, Measure.SHARE])
def test_ratios_are_not_made_rates_or_shares_again(measure: Measure) -> None:
    with pytest.raises(BadInput) as refused:
        board("unconfirmed_share", measure=measure)
    assert refused.value.code == "fact_is_ratio"


def test_uses_of_few_per_place_are_told_nowhere() -> None:
    streets = versions("street", HUANGPU)
    use_finder(last_month(), {streets[0].region_id: K - 1, streets[1].region_id: 30, streets[2].region_id: 55})
    uses = fact("finder_uses", scope=ALL)
    ratio = replace(uses, key="uses_per_place", unit="次/处", over=PLACES)
    alone, divided = (board_of(each, Asked(month=last_month()), "310101", scope=ALL) for each in (uses, ratio))
    shown = {area.place.code: area.figure for area in divided.areas}
    places = places_by("street")
    hidden = [area.place.code for area in alone.areas if area.figure.standing is Standing.HIDDEN]
    assert {streets[0].code, streets[1].code} <= set(hidden)
    for area in alone.areas:
        own = shown[area.place.code]
        if area.place.code in hidden:
            assert own == Figure(Standing.HIDDEN)
        elif not places[area.place.code]:
            assert own.standing is Standing.NONE
        else:
            assert area.figure.value is not None
            assert own.value == round(area.figure.value / places[area.place.code], 1)
    heat = region_heat(ratio, scope=ALL, level="street", period=month_ago(1))
    assert all(heat.values[path] is None for path in heat.values if path.split(".")[2] in hidden)


def test_a_ratio_over_few_persons_is_told_nowhere_and_must_say_it_is_about_persons() -> None:
    uses, reports = fact("finder_uses", scope=ALL), fact("place_reports", scope=ALL)
    with pytest.raises(ValueError, match="must be about persons"):
        replace(reports, key="reports_per_use", cell="", over=uses)
    streets = versions("street", HUANGPU)
    report_places(0, 40)
    use_finder(last_month(), {streets[0].region_id: K - 1, streets[1].region_id: 30, streets[2].region_id: 55})
    ratio = replace(reports, key="reports_per_use", cell="", heads="count(*)", times=100.0, over=uses)
    shown = {
        area.place.code: area.figure for area in board_of(ratio, Asked(month=last_month()), "310101", scope=ALL).areas
    }
    assert shown[streets[0].code] == shown[streets[1].code] == Figure(Standing.HIDDEN)


def test_a_ratio_is_for_those_who_may_see_both_parts_and_stale_when_either_is() -> None:
    ratio = fact("reports_per_place", scope=ALL)
    assert not may_see(ratio, Scope(paths=("",), duties=frozenset(), actor="test"))
    kept = replace(ratio, key="both", duty="", over=fact("unconfirmed", scope=ALL))
    assert not kept.public
    assert not may_see(kept, Scope(paths=("",), duties=frozenset({"gaps.view"}), actor="test"))
    assert may_see(kept, Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="test"))
    before = edition_of_fact(ratio)
    Facility.objects.filter(status="open").order_by("pk").first().save()  # type: ignore[union-attr]
    assert edition_of_fact(ratio) != before


def test_only_facts_by_region_can_be_ratios() -> None:
    with pytest.raises(ValueError, match="by region only"):
        replace(fact("place_reports", scope=ALL), key="wrong", over=PLACES)
    ratios = [each for each in facts().values() if not each.additive]
    assert len(ratios) >= 5
    assert not any(each.cell for each in ratios)


def test_gaps_are_those_of_the_board_of_gaps() -> None:
    assert {area.figure.standing for area in board(f"gaps_{KIND}").areas} == {Standing.NONE}  # nothing is measured yet
    few_kinds()
    measure()
    for level, code in (("district", ""), ("street", "310101")):
        found = board(f"gaps_{KIND}", code)
        asked = question_of(kind=KIND, ages="3-5", minutes=15, level=level, region=code, scope=STAFF)
        lines = {line.region.code: line for line in gaps_board(asked, scope=STAFF).lines if line.region}
        assert any(area.figure.value for area in found.areas)
        for area in found.areas:
            line = lines.get(area.place.code)
            gap = line.gap(15) if line else None
            if line is None or not line.residents or gap is None:
                assert area.figure.value is None
            else:
                assert area.figure.value == round(100 * gap / line.residents, 1)
        heat = region_heat(fact(f"gaps_{KIND}", scope=ALL), scope=ALL, level=level)
        assert [heat.values[area.place.path] for area in found.areas] == [area.figure.value for area in found.areas]
    street = versions("street", HUANGPU)[0]
    inside = board(f"gaps_{KIND}", street.code)
    assert inside.level == "committee"
    mine = Scope(paths=(HUANGPU,), duties=frozenset({"gaps.view", "watch.view"}), actor="test")
    with pytest.raises(NotFound):
        board(f"gaps_{KIND}", "310110", scope=mine)
    assert set(region_heat(fact(f"gaps_{KIND}", scope=mine), scope=mine, level="district").values) == {HUANGPU}
    with pytest.raises(BadInput):
        count_by_region(fact(f"gaps_{KIND}", scope=ALL), scope=ALL, level="district")
    with pytest.raises(NotFound):
        fact(f"gaps_{KIND}", scope=Scope(paths=("",), duties=frozenset({"watch.view"}), actor="test"))
