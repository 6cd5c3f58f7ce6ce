"""Choropleths tell of each region what its rows come to, to whom it may be told; classes, ranks and months follow from it."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import shapely

from geo.errors import BadInput, NotFound
from geo.regions.models import Population, RegionVersion
from geo.scope import Scope
from layers.choropleths.drawing import draw
from layers.choropleths.queries import Asked, Board, board_of, months_of, places_of, summary_of
from layers.choropleths.shapes import shapes_below
from layers.choropleths.spec import Measure, Standing, month_before
from layers.disclosure import K
from layers.facts.registry import fact
from layers.styles.classing import counts_in
from services.facilities.models import Facility
from tests.layers.choropleths.samples import (
    copy_places,
    last_month,
    noon,
    report_places,
    this_month,
    use_finder,
    versions,
)

ALL = Scope(paths=("",), duties=frozenset({"*"}), actor="test")
pytestmark = pytest.mark.usefixtures("city")


def board(key: str, code: str = "", scope: Scope = ALL, **asked: object) -> Board:
    return board_of(fact(key, scope=scope), Asked(**asked), code, scope=scope)  # type: ignore[arg-type]


def values(found: Board) -> dict[str, float | None]:
    return {area.place.code: area.figure.value for area in found.areas}


def places_by(level: str, field: str = "", **where: object) -> Counter[str]:
    paths = dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "path"))
    depth = ["city", "district", "street", "committee"].index(level)
    found: Counter[str] = Counter()
    for place in Facility.objects.filter(retired_at=None, status="open", **where):
        codes = paths[place.region_id].split(".")
        if len(codes) > depth + 1:
            found[codes[depth]] += getattr(place, field) if field else 1
    return found


@pytest.mark.parametrize(("code", "level"), [("", "district"), ("310101", "street")])
def test_figures_are_those_of_the_rows_of_each_region(code: str, level: str) -> None:
    copy_places()
    found = board("childcare", code)
    expected = places_by(level, kind__group="childcare")
    assert values(found) == {area.place.code: float(expected[area.place.code]) for area in found.areas}
    assert {area.place.level for area in found.areas} == {level}
    told = [area.figure.value for area in found.areas]
    assert told == sorted(told, key=lambda value: -(value or 0))
    ranks = [area.rank for area in found.areas]
    assert ranks == [told.index(value) + 1 for value in told]
    assert found.total.value == sum(value or 0 for value in told)
    seats = board("childcare_places", code)
    registered = places_by(level, "places", kind__group="childcare", places__isnull=False)
    assert values(seats) == {area.place.code: registered.get(area.place.code) for area in seats.areas}
    assert [area.figure.standing for area in seats.areas if area.figure.value is None] == [
        Standing.NONE for area in seats.areas if area.place.code not in registered
    ]


def test_a_committee_is_shown_in_its_street() -> None:
    street = versions("street", "310000.310101.")[0]
    committee = versions("committee", street.path)[0]
    found = board("places", committee.code)
    assert (found.place.code, found.level) == (street.code, "committee")
    assert found.chosen is not None
    assert found.chosen.code == committee.code
    assert [each.code for each in found.above] == ["310000", "310101"]


def test_a_rate_is_taken_of_the_residents_of_its_ages_and_is_none_without_them() -> None:
    persons: Counter[str] = Counter()
    paths = dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "path"))
    for region, low, count in Population.objects.values_list("region_id", "age_from", "persons"):
        if low >= 60:
            persons[paths[region].split(".")[1]] += count
    beds = places_by("district", "places", kind__group="eldercare", places__isnull=False)
    found = board("elder_beds", measure=Measure.RATE)
    told = {code: value for code, value in values(found).items() if value is not None}
    assert told == {code: round(1000 * beds[code] / persons[code], 2) for code in beds}
    assert found.residents_year == Population.objects.order_by("-year").first().year  # type: ignore[union-attr]
    assert found.rate.value == round(1000 * sum(beds.values()) / sum(persons.values()), 2)
    street = versions("street", "310000.310101.")[0]
    Population.objects.filter(region__versions__path__startswith=street.path).delete()
    from layers.choropleths import queries

    queries._residents_kept.cache_clear()  # a source published anew would change the key
    assert values(board("elder_beds", "310101", measure=Measure.RATE))[street.code] is None
    assert values(board("elder_beds", measure=Measure.RATE))["310101"] is None
    queries._residents_kept.cache_clear()


def test_shares_add_up_to_all_of_the_region() -> None:
    found = board("childcare", measure=Measure.SHARE)
    told = [value for value in values(found).values() if value is not None]
    assert sum(told) == pytest.approx(100, abs=0.5)
    assert Board.level.fget(found) == "district"  # type: ignore[attr-defined]


def test_a_month_is_counted_and_compared_with_the_one_before() -> None:
    report_places(0, 9, 14)
    found = board("place_reports", month=last_month())
    assert found.total.value == 9
    before = board("place_reports", month=month_before(last_month()))
    assert before.total.value == 14
    for area in found.areas:
        old = values(before)[area.place.code]
        assert old is not None
        assert area.figure.value is not None
        assert area.change.value == area.figure.value - old
    changes = board("place_reports", measure=Measure.CHANGE, month=last_month())
    assert values(changes) == {area.place.code: area.change.value for area in found.areas}
    assert [(month.first, month.figure.value) for month in found.months] == [
        (month_before(last_month()), 14.0),
        (last_month(), 9.0),
    ]


def test_a_month_without_data_has_no_figures_and_is_never_zero() -> None:
    report_places(0, 9)
    long_ago = month_before(last_month(), 8)
    found = board("place_reports", month=long_ago)
    assert {area.figure.standing for area in found.areas} == {Standing.NONE}
    assert found.total.standing is Standing.NONE
    assert found.breaks == ()
    assert {area.rank for area in found.areas} == {None}
    within = board("place_reports", month=last_month())
    assert 0.0 in values(within).values()  # somewhere else there were some


def test_what_a_fact_cannot_tell_is_said_in_words() -> None:
    for key, asked in (
        ("places", {"month": last_month()}),
        ("places", {"measure": Measure.CHANGE}),
        ("place_reports", {"month": dt.date(2199, 1, 1)}),
        ("finder_uses", {"month": this_month()}),  # of persons: only once the month is over
    ):
        with pytest.raises(BadInput):
            board(key, **asked)  # type: ignore[arg-type]
    assert months_of(fact("places", scope=ALL), scope=ALL) == []
    assert months_of(fact("finder_uses", scope=ALL), scope=ALL) == [last_month()]
    assert months_of(fact("place_reports", scope=ALL), scope=ALL) == [this_month()]


def test_classes_part_the_figures_as_they_are_shown() -> None:
    copy_places()
    found = board("childcare")
    told = sorted(value for value in values(found).values() if value is not None)
    assert 2 <= len(found.breaks) + 1 <= 5
    for area in found.areas:
        assert area.at == sum(area.figure.value >= each for each in found.breaks)  # type: ignore[operator]
    assert board("childcare", method="manual", breaks=(2.0, 6.0)).breaks == (2.0, 6.0)
    equal = board("childcare", method="equal", classes=4)
    assert len(equal.breaks) <= 3
    assert all(told[0] < each <= told[-1] for each in equal.breaks)
    from layers.styles.classing import Spread

    counts = Counter(told)
    spread = Spread(tuple(sorted(counts)), tuple(counts[each] for each in sorted(counts)))
    assert counts_in(spread, found.breaks) == tuple(
        sum(area.at == at for area in found.areas) for at in range(len(found.breaks) + 1)
    )


def test_few_uses_are_told_nowhere_nor_what_they_follow_from() -> None:
    streets = versions("street", "310000.310101.")
    others = versions("street", "310000.310110.")
    use_finder(
        last_month(),
        {streets[0].region_id: 4, streets[1].region_id: 30, streets[2].region_id: 55, others[0].region_id: 200},
    )
    city = board("finder_uses", month=last_month())
    assert city.total.value == 289
    assert {code: value for code, value in values(city).items() if value} == {"310101": 89.0, "310110": 200.0}
    inside = board("finder_uses", "310101", month=last_month())
    assert inside.total.value == 89
    told = values(inside)
    # 4 is kept back, and the smaller of the others with it: what is left of 89 is of 34
    assert [told[street.code] for street in streets[:3]] == [None, None, 55.0]
    assert {area.figure.standing for area in inside.areas} == {Standing.HIDDEN, Standing.TOLD}
    for measure in Measure:
        shown = values(board("finder_uses", "310101", month=last_month(), measure=measure))
        assert shown[streets[0].code] is shown[streets[1].code] is None
    street = board("finder_uses", streets[0].code, month=last_month())
    assert street.total.standing is Standing.HIDDEN
    assert {area.figure.standing for area in street.areas} == {Standing.HIDDEN}  # committees are decided on nowhere
    assert all(month.figure.value is None for month in street.months)
    place, _, above, _ = places_of(streets[0].code, scope=ALL)
    assert summary_of(fact("finder_uses", scope=ALL), place, above, scope=ALL).total.standing is Standing.HIDDEN


def test_who_adds_up_what_is_told_learns_of_no_fewer_than_k() -> None:
    for at, district in enumerate(versions("district")):
        streets = versions("street", district.path)
        use_finder(last_month(), {each.region_id: (number * 7 + at * 3) % 40 for number, each in enumerate(streets)})
    heads = dict.fromkeys((each.path for each in versions("street")), 0)
    from services.modules.finder.models import UseCount

    by_region = dict(UseCount.objects.values_list("region_id", "count"))
    for street in versions("street"):
        heads[street.path] = by_region.get(street.region_id, 0)
    for district in versions("district"):
        found = board("finder_uses", district.code, month=last_month())
        hidden = [area.place.path for area in found.areas if area.figure.value is None]
        if found.total.value is not None and hidden:
            assert len(hidden) > 1
            rest = found.total.value - sum(area.figure.value or 0 for area in found.areas)
            assert rest == sum(heads[path] for path in hidden)
            assert rest >= K
        assert all(not area.figure.value or area.figure.value >= K for area in found.areas)
        own = Scope(paths=(district.path,), duties=frozenset({"*"}), actor="district")
        assert values(board("finder_uses", month=last_month(), scope=own)) == values(found)  # whoever asks


def test_a_scope_opens_at_its_own_region_and_reaches_no_other() -> None:
    street = versions("street", "310000.310101.")[0]
    own = Scope(paths=(street.path,), duties=frozenset({"*"}), actor="street")
    found = board("places", scope=own)
    assert (found.place.code, found.above, [each.code for each in found.siblings]) == (street.code, (), [street.code])
    for code in ("310000", "310101", "310110", "999999", "x"):
        with pytest.raises(NotFound):
            board("places", code, scope=own)
    with pytest.raises(NotFound):
        board("places", scope=Scope(paths=(), duties=frozenset({"*"}), actor="nobody"))
    two = Scope(paths=(street.path, "310000.310110."), duties=frozenset({"*"}), actor="two")
    assert {each.code for each in board("places", scope=two).siblings} == {street.code, "310110"}
    report_places(0, 30)
    assert (
        board("place_reports", month=last_month(), scope=own).total.value
        == board("place_reports", street.code, month=last_month()).total.value
    )


def test_shapes_meet_after_thinning_and_every_label_has_room() -> None:
    shapes = shapes_below("310000.", "district")
    assert len(shapes) == 16
    polygons = [each.polygon for each in shapes]
    apart = sum(each.area for each in polygons) - shapely.union_all(polygons).area
    assert abs(apart) < 1e-6 * sum(each.area for each in polygons)
    names = {each.path: "崇明" for each in shapes}
    whole, part = draw(shapes, {each.path: "58.3" for each in shapes}, names)
    assert max(whole.width, whole.height) == 600
    assert part is not None
    assert whole.magnified is not None
    labelled = [each.path for drawing in (whole, part) for each in drawing.regions if each.label]
    assert len(labelled) == len(set(labelled)) == 16  # each once: on the map or in the magnified part
    assert all(0 < each.label.x < whole.width for each in whole.regions if each.label)
    length, metres = whole.scale
    assert length == pytest.approx(metres * whole.width / (whole.box[2] - whole.box[0]), abs=0.1)
    assert noon(last_month()).month == last_month().month
    east, north = shapes[0].label
    x, y = whole.at(east, north)
    assert 0 < x < whole.width
    assert 0 < y < whole.height
