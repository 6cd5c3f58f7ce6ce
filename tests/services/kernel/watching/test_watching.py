"""The map of supervisors: every number is the number of rows its link lists, and nobody sees another region's."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from geo.errors import Forbidden, NotFound
from geo.scope import Scope
from services.facilities.models import Facility
from services.kernel.ledger.asking import read_asked
from services.kernel.ledger.queries import count_rows
from services.kernel.ledger.registry import ledgers
from services.kernel.watching import registry
from services.kernel.watching.queries import Board, Tally, board_of, open_query, rows_query, told_of
from services.kernel.watching.registry import indicators_of, theme_of
from services.kernel.watching.spec import Indicator
from services.modules.finder.models import PlaceReport
from services.modules.opinions.models import Suggestion
from tests.services.kernel.watching.samples import KEYS, Street, settle_all, stand_against, street_of
from tests.web.test_ledger_scope import region, signed_in

pytestmark = pytest.mark.usefixtures("city")
CITY = Scope(paths=("310000.",), duties=frozenset({"*"}), actor="test")
ELDER = "elder"


@pytest.fixture
def street() -> Street:
    """Return a street of 黄浦 with one of everything against its first place, its second suspended, and a place of 杨浦 alike."""
    settle_all()
    home = street_of("310101")
    stand_against(home.places[0])
    Facility.objects.filter(pk=home.places[1].pk).update(status="suspended")
    stand_against(street_of("310110", 1).places[0], "there")
    return home


def board(code: str = "", scope: Scope = CITY) -> Board:
    return board_of(theme_of(ELDER), code, scope=scope)


def counts(tallies: tuple[Tally, ...]) -> dict[str, int]:
    return {each.indicator.key: each.count for each in tallies}


def listed(ledger: str, query: str, scope: Scope) -> int:
    spec = ledgers()[ledger]
    return count_rows(spec, read_asked(QueryDict(query), spec), scope=scope).count


def test_the_declared_indicators_are_those_a_supervisor_acts_on() -> None:
    assert tuple(each.key for each in indicators_of(theme_of(ELDER))) == KEYS


@pytest.mark.parametrize("level", ["city", "district", "street"])
def test_every_number_is_the_number_of_rows_its_link_lists(street: Street, level: str) -> None:
    code = {"city": "", "district": "310101", "street": street.code}[level]
    found = board(code)
    wanted = {"city": 2, "district": 1, "street": 1}[level]
    assert counts(found.tallies) == {**dict.fromkeys(KEYS, wanted), "stopped": 1}
    for tally in found.tallies:
        assert listed(tally.indicator.ledger, rows_query(found.theme, tally, region=code), CITY) == tally.count
    assert listed("facilities", open_query(found.theme, code), CITY) == found.open > 0
    for line in found.lines:
        for tally in line.tallies:
            query = rows_query(found.theme, tally, region=line.region.code)
            assert listed(tally.indicator.ledger, query, CITY) == tally.count
        assert listed("facilities", open_query(found.theme, line.region.code), CITY) == line.open


def test_the_lines_add_up_to_the_whole_and_what_lies_outside(street: Street) -> None:
    Suggestion.objects.all().update(facility=None)
    report = PlaceReport.objects.filter(facility=street.places[0]).get()
    PlaceReport.objects.filter(pk=report.pk).update(region=None)
    moved = PlaceReport.objects.create(
        mark=uuid4(), facility=report.facility, region=report.facility.region, what="hours", due_on=report.due_on
    )
    found = board()
    for at, tally in enumerate(found.tallies):
        assert sum(line.tallies[at].count for line in found.lines) + found.outside[at].count == tally.count
    assert counts(found.outside)["reports"] == 1
    assert counts(found.tallies)["suggestions-late"] == 2  # a suggestion that names no place counts for its region
    place = next(each for each in found.waiting if each.pk == report.facility_id)
    assert [each.ids for each in place.tallies if each.indicator.key == "reports"] == [(report.pk, moved.pk)]


def test_a_place_tells_its_rows_the_worst_first_and_the_quiet_ones_follow_in_a_street(street: Street) -> None:
    found = board(street.code)
    assert not found.lines
    first, second = found.places[:2]
    assert (first.pk, first.level, len(first.tallies)) == (street.places[0].pk, "bad", 7)
    assert (second.pk, second.level, second.status) == (street.places[1].pk, "bad", "暂停服务")
    assert not any(each.tallies for each in found.places[2:])
    assert {each.pk for each in street.places} <= {each.pk for each in found.places}
    place, told = told_of(found.theme, first.pk, scope=CITY)
    assert [each.tally.indicator.level for each in told] == ["bad"] * 2 + ["warn"] * 3 + ["notice"] * 2
    report = PlaceReport.objects.filter(facility=first.pk).get()
    assert [row.pk for each in told if each.tally.indicator.key == "reports" for row in each.rows] == [report.pk]
    assert place.name == street.places[0].name


def test_an_officer_of_a_region_sees_that_region_only(street: Street) -> None:
    own = Scope(paths=("310000.310110.",), duties=frozenset({"*"}), actor="yangpu")
    found = board(scope=own)
    assert found.region is not None
    assert (found.region.code, found.above) == ("310110", ())
    assert counts(found.tallies) == {**dict.fromkeys(KEYS, 1), "stopped": 0}
    assert not {each.pk for each in street.places} & {each.pk for each in found.places}
    for code in ("310000", "310101", street.code, "999999"):
        with pytest.raises(NotFound):
            board(code, own)
    with pytest.raises(NotFound):
        told_of(theme_of(ELDER), street.places[0].pk, scope=own)
    nursery = Facility.objects.filter(kind__group="childcare").first()
    assert nursery is not None
    with pytest.raises(NotFound):
        told_of(theme_of(ELDER), nursery.pk, scope=CITY)
    with pytest.raises(Forbidden):
        board(scope=Scope(paths=("310000.",), duties=frozenset({"facilities.view"}), actor="planner"))


def test_who_keeps_two_regions_sees_both_beside_each_other(street: Street) -> None:
    paths = ("310000.310110.", f"310000.310101.{street.code}.", f"310000.310101.{street.code}.none.")
    both = Scope(paths=paths, duties=frozenset({"*"}), actor="two")
    found = board(scope=both)
    assert found.region is None
    assert {line.region.code for line in found.lines} == {"310110", street.code}
    assert counts(found.tallies) == {**dict.fromkeys(KEYS, 2), "stopped": 1}
    assert board(street.code, both).above == ()


def test_indicators_of_ledgers_that_somebody_may_not_open_are_left_out(street: Street) -> None:
    few = Scope(paths=("310000.",), duties=frozenset({"watch.view", "facilities.view"}), actor="few")
    assert list(counts(board(scope=few).tallies)) == ["stopped"]


@pytest.mark.parametrize("paths", [("310000.",), ("310000.310101.",)])
def test_a_board_takes_a_handful_of_queries(street: Street, paths: tuple[str, ...]) -> None:
    scope = Scope(paths=paths, duties=frozenset({"*"}), actor="test")
    board(scope=scope)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        board(scope=scope)
    assert len(asked) <= 8


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_table_is_taken_as_a_file_with_the_same_numbers(street: Street, ending: str) -> None:
    client = signed_in("shi", "city_manager", region=region("310000."))
    answer = client.get("/watch/elder/table", {"region": "310101", "format": ending})
    assert answer.status_code == 200
    if ending == "csv":
        rows: list[list[Any]] = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    else:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    found = board("310101")
    assert rows[0][:3] == ["区划代码", "区划", "在营机构（家）"]
    assert [int(cell) for cell in rows[-1][2:]] == [found.open, *(each.count for each in found.tallies)]
    line = next(row for row in rows if row[0] == street.code)
    assert [int(cell) for cell in line[3:]] == [1] * 8
    assert client.get("/watch/elder/table", {"format": "pdf"}).status_code == 400


def test_pages_are_for_those_who_watch_and_answer_nothing_else(street: Street) -> None:
    assert Client(headers={"host": "localhost"}).get("/watch/elder").status_code == 302
    head = signed_in("guihua", "planner", region=region("310000."))
    assert head.get("/watch").status_code == head.get("/watch/elder").status_code == 403
    client = signed_in("shi", "city_manager", region=region("310000."))
    assert client.get("/watch").headers["Location"] == "/watch/elder"
    assert client.get("/watch/roads").status_code == 404
    assert client.get("/watch/elder", {"of": "nothing"}).status_code == 400
    assert client.get("/watch/elder", {"region": "999999"}).status_code == 404
    gone = client.get("/watch/elder", {"place": "999999999", "sort": "nothing"})
    assert "没有找到这家机构" in gone.content.decode()


def test_the_address_chooses_an_indicator_and_an_order(street: Street) -> None:
    client = signed_in("shi", "city_manager", region=region("310000."))
    page = client.get("/watch/elder", {"of": "stopped", "sort": "-reports"})
    assert [one.line.region.code for one in page.context["ranked"]][0] == "310101"
    assert page.context["ranked"][0].count == 1
    assert {line.figures[4].count for line in page.context["lines"][:2]} == {1}
    assert [each.pk for each, _, _ in page.context["waiting"]] == [street.places[1].pk]
    for card in page.context["cards"]:
        href = urlsplit(card.figure.href)
        assert client.get(card.figure.href).status_code == 200
        assert "region" not in parse_qs(href.query)


def test_a_declaration_that_cannot_be_asked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def declared(**over: Any) -> None:
        each: dict[str, Any] = {
            "key": "odd", "title": "怪", "level": "bad", "meaning": "", "ledger": "place-reports", "asks": (), "act": "看",
            "tells": (),
        } | over  # fmt: skip
        registry._check(Indicator(**each))

    declared()
    for over in ({"ledger": "nothing"}, {"tells": ("nothing",)}, {"asks": (("f.nothing", "1"),)}):
        with pytest.raises(Exception, match=r"nothing"):
            declared(**over)
