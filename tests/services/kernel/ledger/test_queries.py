"""The rows a ledger answers: those of the scope, those asked for, each once, in order, on pages that fit together."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from django.contrib.gis.geos import Point
from django.db import connection
from django.http import QueryDict

from geo.errors import BadInput, Forbidden, NotFound
from geo.names import query_grams
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.facilities.ledgers import LEDGERS
from services.facilities.models import Facility
from services.kernel.ledger.asking import Asked, read_asked
from services.kernel.ledger.queries import (
    count_rows,
    extent_of,
    page_of,
    pins_in,
    record_of,
    regions_for,
    rows_of,
)
from services.kernel.ledger.registry import ledger_of, ledgers, ledgers_for

pytestmark = pytest.mark.usefixtures("city")
SPEC = next(spec for spec in LEDGERS if spec.key == "facilities")
CITY = Scope(paths=("310000.",), duties=frozenset({"facilities.view"}), actor="shi")
DISTRICT = Scope(paths=("310000.310101.",), duties=frozenset({"facilities.view"}), actor="qu")
TRIANGLE = shapely.Polygon([(121.46, 31.22), (121.52, 31.22), (121.49, 31.26)])
WORLD = (120.0, 30.0, 123.0, 32.0)


def asked(query: str) -> Asked:
    return read_asked(QueryDict(query), SPEC)


def walked(query: str, scope: Scope = CITY, limit: int = 7, after: str = "") -> list[int]:
    """Return the keys of all rows, page by page."""
    found = []
    while True:
        question = read_asked(QueryDict(f"{query}&after={after}"), SPEC)
        page = page_of(SPEC, question, scope=scope, limit=limit)
        found += [row.pk for row in page.rows]
        if page.next is None:
            return found
        after = page.next


def current() -> list[Facility]:
    return list(Facility.objects.filter(retired_at=None).select_related("organisation"))


def below(path: str) -> set[int]:
    versions = RegionVersion.objects.filter(edition__state="published", path__startswith=path)
    return set(versions.values_list("region_id", flat=True))


@pytest.mark.parametrize("sort", ["", "name", "-name", "places", "-places", "as_of", "-updated_at", "uncertainty_m"])
def test_pages_fit_together_in_every_order(sort: str) -> None:
    key = (sort or "name").removeprefix("-")
    rows = {row.pk: getattr(row, key) for row in current()}
    found = walked(f"sort={sort}")
    assert sorted(found) == sorted(rows)
    filled = [rows[pk] for pk in found if rows[pk] is not None]
    if key != "name":  # text goes by the collation of the database
        assert filled == sorted(filled, reverse=sort.startswith("-"))
    assert [rows[pk] for pk in found[len(filled) :]] == [None] * (len(rows) - len(filled))


def test_a_page_that_changes_meanwhile_repeats_and_skips_nothing_that_stays() -> None:
    first = page_of(SPEC, asked("sort=places"), scope=CITY, limit=10)
    Facility.objects.filter(pk=first.rows[3].pk).update(retired_at="2026-01-01T00:00Z")
    rest = walked("sort=places", after=str(first.next))
    assert not {row.pk for row in first.rows} & set(rest)
    assert len(first.rows) + len(rest) == len(current()) + 1


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("f.status=open", lambda row: row.status == "open"),
        ("f.kind_id=nursery&f.kind_id=canteen", lambda row: row.kind_id in ("nursery", "canteen")),
        ("f.places.from=20", lambda row: (row.places or 0) >= 20),
        ("f.places.from=10&f.places.to=30", lambda row: 10 <= (row.places or 0) <= 30),
        ("f.attributes__inclusive=1", lambda row: row.attributes.get("inclusive") is True),
        ("f.attributes__beds.from=5", lambda row: (row.attributes.get("beds") or 0) >= 5),
        ("f.address_text=%E5%8D%97", lambda row: "南" in row.address_text),
        ("q=%E5%9B%AD", lambda row: set(query_grams("园")) <= set(row.grams)),
        ("q=%E5%B9%BC%E5%84%BF&f.status=open", lambda row: "幼儿" in row.grams and row.status == "open"),
        ("area=121.46,31.22;121.52,31.22;121.49,31.26", lambda row: shapely.Point(row.geom.coords).within(TRIANGLE)),
        ("region=310110", lambda row: row.region_id in below("310000.310110.")),
        ("region=310110&region=310101&f.kind_id=park", lambda row: row.kind_id == "park"),
    ],
)
def test_rows_are_those_that_brute_force_finds(query: str, holds: Any) -> None:
    wanted = {row.pk for row in current() if holds(row)}
    assert set(walked(query)) == wanted
    assert count_rows(SPEC, asked(query), scope=CITY).count == len(wanted)
    assert wanted, "a filter that finds nothing proves nothing"


def test_a_scope_sees_its_own_rows_only() -> None:
    mine = {row.pk for row in current() if row.region_id in below("310000.310101.")}
    others = [row.pk for row in current() if row.pk not in mine]
    assert set(walked("", DISTRICT)) == mine
    assert others
    assert walked(f"id={others[0]}", DISTRICT) == []
    assert walked("region=310110", DISTRICT) == []
    assert {pin.pk for pin in pins_in(SPEC, Asked(), WORLD, scope=DISTRICT)} == mine
    assert {row.pk for row in rows_of(SPEC, Asked(), scope=DISTRICT, columns=SPEC.columns)} == mine
    with pytest.raises(NotFound):
        record_of(SPEC, others[0], scope=DISTRICT)
    assert {region.code[:6] for region in regions_for(DISTRICT)} == {"310101"}


def test_an_institution_sees_what_it_runs() -> None:
    run = [row for row in current() if row.organisation_id]
    if not run:
        from services.access.models import Organisation

        one = current()[0]
        one.organisation = Organisation.objects.create(name="试办机构")
        one.save()
        run = [one]
    scope = Scope(organisations=frozenset({run[0].organisation_id}), duties=frozenset({"facilities.view"}))
    assert set(walked("", scope)) == {row.pk for row in run if row.organisation_id == run[0].organisation_id}


def test_without_the_duty_there_is_no_ledger() -> None:
    for scope in (Scope.public(), Scope(paths=("310000.",), duties=frozenset({"other.view"}))):
        assert SPEC not in ledgers_for(scope)
        with pytest.raises(Forbidden):
            ledger_of("facilities", scope=scope)
        with pytest.raises(NotFound):
            ledger_of("nothing", scope=scope)
        assert walked("", scope) == []
    assert ledger_of("facilities", scope=DISTRICT) is ledgers()["facilities"]


def test_marks_of_other_lists_are_refused() -> None:
    mark = page_of(SPEC, asked("sort=places"), scope=CITY, limit=3).next
    for query in (f"sort=name&after={mark}", "after=nonsense", "after=" + "A" * 900):
        with pytest.raises(BadInput) as caught:
            page_of(SPEC, asked(query), scope=CITY)
        assert caught.value.code == "cursor_invalid"


def test_many_rows_are_counted_up_to_a_limit_and_estimated_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(count_rows(SPEC, Asked(), scope=CITY)) == str(len(current()))
    monkeypatch.setattr("services.kernel.ledger.queries.COUNTED", 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE facilities_facility")
    total = count_rows(SPEC, Asked(), scope=CITY)
    assert total.count == 5
    assert str(total) == f"约 {total.about}"
    assert total.about == pytest.approx(len(current()), rel=0.06)


def test_many_rows_on_the_map_come_together_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = pins_in(SPEC, Asked(), WORLD, scope=CITY)
    assert sorted(pin.pk for pin in alone if pin.pk) == sorted(row.pk for row in current())
    monkeypatch.setattr("services.kernel.ledger.queries.MOST_PINS", 10)
    together = pins_in(SPEC, Asked(), WORLD, scope=CITY)
    assert sum(pin.count for pin in together) == len(alone)
    assert len(together) < len(alone)
    box = extent_of(SPEC, Asked(), scope=CITY)
    assert box is not None
    assert all(box[0] <= pin.lon <= box[2] and box[1] <= pin.lat <= box[3] for pin in [*alone, *together])


def test_one_row_is_told_in_full_with_its_place() -> None:
    one = next(row for row in current() if row.places)
    record = record_of(SPEC, one.pk, scope=CITY)
    assert record.row.name == one.name
    assert len(record.row.cells) == len(SPEC.columns)
    assert isinstance(record.point, Point)
    assert record.point.coords == one.geom.coords
    assert {each.column.label: each.text for each in record.row.filled}["名额"] == f"{one.places:,}"
    assert not {each.column.key for each in record.row.filled} & {each.column.key for each in record.row.blank}
