"""Heat over HTTP: the page with its table and files, the figures of the API and what it refuses, for those who may see them."""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
from typing import Any
from uuid import uuid4

import h3
import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from geo.regions.models import RegionVersion
from layers.heat.periods import block_at
from services.access.actions import declare_roles, grant_role
from services.access.models import AuditAct, AuditEntry, User, UserKind
from services.facilities.models import Facility
from services.modules.finder.models import PlaceReport, UseCount
from tests.layers.heat.events import first_of

pytestmark = pytest.mark.usefixtures("city")


def signed_in(role: str, code: str) -> Client:
    declare_roles()
    region = RegionVersion.objects.get(edition__state="published", code=code).region
    user = User.objects.create_user(f"{role}-{code}", kind=UserKind.STAFF)
    grant_role(user=user, role=role, granted_by="test", region=region)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("city_manager", "310000")


def page_of(client: Client, path: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a page and what its script is told."""
    answer: Any = client.get(path)
    assert answer.status_code == 200, answer.content.decode()[:500]
    text = answer.content.decode()
    told = re.search(r'<script id="heat-answer" type="application/json">(.*?)</script>', text, re.S)
    assert told
    return text, json.loads(told[1])


def table_in(text: str) -> dict[str, str]:
    """Return the figures of the table of a page by their keys, as they are written."""
    rows = re.findall(r'<tr data-key="(\w+)".*?<td class="number">(.*?)</td>', text, re.S)
    return dict(rows)


def report(place: Facility, days_ago: int) -> None:
    made = PlaceReport.objects.create(
        mark=uuid4(), facility=place, region=place.region, what="phone", due_on=timezone.localdate()
    )
    PlaceReport.objects.filter(pk=made.pk).update(created_at=timezone.now() - dt.timedelta(days=days_ago))


def use(code: str, count: int, first: dt.date | None = None) -> None:
    region = RegionVersion.objects.get(edition__state="published", code=code).region_id
    moment = timezone.make_aware(dt.datetime.combine(first or first_of(1), dt.time(9)))
    UseCount.objects.create(hour=moment, act="search", region_id=region, filter="", count=count)


def test_the_page_the_map_and_the_files_say_the_same_figures(manager: Client) -> None:
    text, told = page_of(manager, "/watch/heat/elder_places?by=8")
    expected: dict[str, int] = {}
    for place in Facility.objects.filter(retired_at=None, status="open", kind__group="eldercare"):
        cell = h3.cell_to_parent(h3.int_to_str(place.cell), 8)
        expected[cell] = expected.get(cell, 0) + 1
    table = table_in(text)
    assert table
    assert all(expected[cell] == int(figure) for cell, figure in table.items())
    assert list(table.values()) == [str(each) for each in sorted(expected.values(), reverse=True)[: len(table)]]
    assert f"有 {max(expected.values())} 处" in text
    drawn = manager.get(told["api"] + "&bbox=120,30,123,32").json()
    assert {one["properties"]["cell"]: one["properties"]["value"] for one in drawn["features"]["features"]} == expected
    assert [each["words"] for each in drawn["classes"]] == re.findall(
        r"rx=\"2\"></rect></svg><span>([\d–]+)</span>", text
    )
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(manager.get("/watch/heat/elder_places/table?by=8&format=xlsx").content)
    )
    rows = book.get_sheet_by_index(0).to_python()
    assert {row[0]: f"{row[2]:.0f}" for row in rows[1:]} == table
    lines = manager.get("/watch/heat/elder_places/table?by=8&format=csv").content.decode("utf-8-sig").splitlines()
    assert lines[0] == "网格（H3）,位置,养老服务设施（处）"
    assert len(lines) == len(table) + 1
    taken = AuditEntry.objects.filter(act=AuditAct.LEDGER_EXPORTED).latest("pk").detail
    assert (taken["ledger"], taken["rows"], taken["by"]) == ("heat-elder_places", len(table), "8")


def test_a_kind_narrows_and_only_kinds_of_the_fact_are_offered(manager: Client) -> None:
    every = Facility.objects.filter(retired_at=None, status="open", kind__group="eldercare")
    kind = every.order_by("kind").values_list("kind", flat=True)[0]
    assert 0 < every.filter(kind=kind).count() < every.count()
    text, _ = page_of(manager, f"/watch/heat/elder_places?by=8&kinds={kind}")
    assert f"合计 {every.filter(kind=kind).count()} 处" in text
    offered = re.search(r'<select class="select" id="heat-kinds".*?</select>', text, re.S)
    assert offered
    assert f'value="{kind}" selected' in offered[0]
    others = Facility.objects.filter(kind__group="childcare").values_list("kind", flat=True)
    assert others
    assert not any(f'value="{other}"' in offered[0] for other in others)


def test_days_weeks_and_months_follow_each_other_by_links_and_are_compared(manager: Client) -> None:
    places = list(Facility.objects.filter(retired_at=None, status="open").order_by("pk")[:4])
    for place, days in zip(places, (0, 1, 1, 9), strict=True):
        report(place, days)
    today = timezone.localdate()
    text, told = page_of(manager, "/watch/heat/place_reports?by=10&step=day")
    assert len(told["periods"]) == 10
    assert "合计 1 件" in text
    back = re.findall(r'<a class="button" href="([^"]+)" data-turn>', text)
    text, _ = page_of(manager, back[0].replace("&amp;", "&"))
    assert "合计 2 件" in text
    text, told = page_of(manager, f"/watch/heat/place_reports?by=10&step=day&at={today - dt.timedelta(days=3)}")
    assert "这个时段没有数字" in text
    assert "这里没有数字" in text
    PlaceReport.objects.all().delete()
    week = block_at("week", today)
    elsewhere = (
        Facility.objects.filter(retired_at=None, status="open").exclude(region=places[0].region).order_by("-pk")[0]
    )
    for place, day in (
        (places[0], week.first),
        (places[0], week.first),
        (elsewhere, week.first - dt.timedelta(days=3)),
    ):
        report(place, (today - day).days)
    text, told = page_of(manager, f"/watch/heat/place_reports?by=10&step=week&with={week.first - dt.timedelta(days=5)}")
    assert f"from={week.first}&to={week.last}" in told["api"]
    names = {h3.int_to_str(place.cell): place for place in (places[0], elsewhere)}
    assert {cell: figure for cell, figure in table_in(text).items() if cell in names} == dict(
        zip(names, ("+2", "-1"), strict=True)
    )
    assert "增加了 2 件" in text
    drawn = manager.get(told["api"]).json()
    assert drawn["palette"] == "diverging"
    assert sorted(one["properties"]["class"] for one in drawn["features"]["features"]) == [3, 6]
    refused: Any = manager.get("/watch/heat/place_reports?by=8&step=year")
    assert refused.status_code == 400


def test_a_standing_fact_has_no_time_and_one_without_rows_says_so(manager: Client) -> None:
    text, told = page_of(manager, "/watch/heat/places")
    assert told["periods"] == []
    assert 'id="heat-slider"' not in text
    text, told = page_of(manager, "/watch/heat/place_reports")
    assert "还没有记录" in text
    assert told["api"] == ""
    assert 'class="table heat-table"' not in text  # no figures
    assert manager.get("/watch/heat/place_reports/table?format=csv").status_code == 404


def test_figures_of_few_uses_are_dashes_and_those_that_give_them_away(manager: Client) -> None:
    streets = list(
        RegionVersion.objects.filter(edition__state="published", level="street", path__contains=".310101.").order_by(
            "code"
        )[:4]
    )
    for street, count in zip(streets, (40, 3, 25, 60), strict=True):
        use(street.code, count)
    text, told = page_of(manager, "/watch/heat/finder_uses?by=street")
    table = table_in(text)
    assert [table[street.code] for street in streets] == ["40", "—", "—", "60"]
    assert "少于 10 人的不公布" in text
    assert 'value="8"' not in text
    assert "公布的合计 100 次" in text
    drawn = manager.get(told["api"]).json()
    assert drawn["hidden"] is True
    values = {one["properties"]["code"]: one["properties"]["value"] for one in drawn["features"]["features"]}
    assert [values[street.code] for street in streets] == [40, None, None, 60]
    lines = manager.get("/watch/heat/finder_uses/table?by=street&format=csv").content.decode("utf-8-sig")
    assert f"{streets[1].code}," in lines
    assert ",3\r" not in lines
    assert ",25\r" not in lines


def test_before_a_month_is_over_nothing_of_persons_is_told(manager: Client) -> None:
    use("310101", 500, timezone.localdate())
    text, told = page_of(manager, "/watch/heat/finder_uses")
    assert "当月的下月 1 日起可看" in text
    assert "500" not in text
    assert told["api"] == ""


def test_the_page_is_for_supervisors_and_facts_for_who_may_see_them(manager: Client) -> None:
    assert Client(headers={"host": "localhost"}).get("/watch/heat/places").status_code == 302
    worker = signed_in("intake_clerk", "310101")
    assert worker.get("/watch/heat/places").status_code == 403
    assert worker.get("/watch/heat/places/table").status_code == 403
    assert manager.get("/watch/heat/nothing").status_code == 404
    first: Any = manager.get("/watch/heat?theme=elder")
    assert first.url == "/watch/heat/elder_places"
    assert "/watch/heat?theme=elder" in manager.get("/watch/elder").content.decode()
    assert manager.get("/help/heat").status_code == 200


def test_the_api_lists_facts_and_answers_anyone_what_is_public(manager: Client) -> None:
    anyone = Client(headers={"host": "localhost"})
    listed = {one["key"]: one for one in anyone.get("/api/v1/facts").json()["facts"]}
    assert listed["places"]["by"] == ["7", "8", "9", "10", "district", "street"]
    assert "finder_uses" not in listed
    seen = {one["key"]: one for one in manager.get("/api/v1/facts").json()["facts"]}
    assert (seen["finder_uses"]["by"], seen["finder_uses"]["steps"]) == (["district", "street"], ["month"])
    assert seen["finder_uses"]["choices"] == []
    whole = anyone.get("/api/v1/heat/places?by=9").json()
    part = anyone.get("/api/v1/heat/places?by=9&bbox=121.48,31.22,121.50,31.24").json()
    assert 0 < len(part["figures"]) < len(whole["figures"])
    assert {tuple(each) for each in part["figures"]} < {tuple(each) for each in whole["figures"]}
    assert part["classes"] == whole["classes"]
    rates = dict(anyone.get("/api/v1/heat/elder_beds?by=street&per=1000").json()["figures"])
    plain = dict(anyone.get("/api/v1/heat/elder_beds?by=street").json()["figures"])
    assert {code for code, value in rates.items() if value} == {code for code, value in plain.items() if value} != set()
    assert rates != plain
    assert anyone.get("/api/v1/heat/finder_uses?by=street").status_code == 404
    assert (
        anyone.get("/api/v1/heat/places?by=8&shape=point").json()["features"]["features"][0]["geometry"]["type"]
        == "Point"
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("places?by=6", "by_unknown"),
        ("places?by=8&from=2026-01-01&to=2026-01-31", "fact_without_time"),
        ("places?by=8&from=2026-01-01", "period_invalid"),
        ("place_reports?by=8&from=2026-02-01&to=2026-01-01", "period_invalid"),
        ("places?by=8&per=1000", "cells_without_residents"),
        ("places?by=8&owners=x", "parameter_unknown"),
        ("places?by=8&bbox=1,2,3", "bbox_invalid"),
        ("places?by=8&bbox=nan,2,3,4", "bbox_invalid"),
        ("finder_uses?by=8&from=2026-01-01&to=2026-01-31", "fact_without_position"),
        ("finder_uses?by=street&from=2026-01-01&to=2026-01-07", "persons_by_month"),
        ("finder_uses?by=street&from=2026-01-01&to=2026-01-31&acts=call", "persons_narrowed"),
        ("places?by=8&compare_from=2026-01-01&compare_to=2026-01-31", "compare_without_period"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(manager: Client, query: str, code: str) -> None:
    answer = manager.get(f"/api/v1/heat/{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == code


def test_rows_lead_to_the_ledger_of_just_what_they_count(manager: Client) -> None:
    """A cell, a district and a kind: the ledger behind a figure lists as many rows as the figure says."""
    kind = Facility.objects.filter(kind__group="eldercare", status="open").order_by("kind").first()
    assert kind is not None
    report(kind, 2)
    month = "step=month&by=district"
    for query in (
        "by=8",
        "by=9",
        "by=10",
        "by=district",
        "by=street",
        f"by=8&kinds={kind.kind_id}",
        f"by=street&kinds={kind.kind_id}",
    ):
        follow(manager, "elder_places", query, "家")
    follow(manager, "places", f"by=9&kinds={kind.kind_id}", "家")
    follow(manager, "place_reports", month, "条")
    text, _ = page_of(manager, "/watch/heat/elder_places?by=7")
    assert 'class="row-link"' not in text  # of cells this large the map is asked closer
    text, _ = page_of(manager, f"/watch/heat/place_reports?{month}&with={first_of(2)}")
    assert 'class="row-link"' not in text  # of a change there are no rows
    text, _ = page_of(signed_in("district_manager", "310101"), "/watch/heat/elder_places?by=district")
    linked = re.findall(r'<tr data-key="(\w+)"(?:(?!</tr>).)*?class="row-link"', text, re.S)
    assert linked == ["310101"]  # public figures are of all, rows only of one's own


def follow(client: Client, key: str, query: str, counter: str) -> None:
    text, _ = page_of(client, f"/watch/heat/{key}?{query}")
    rows = re.findall(r'class="row-link" href="([^"]+)".*?<td class="number">(\d+)</td>', text, re.S)
    assert rows, (key, query)
    for href, figure in (rows[0], rows[-1]):
        answer: Any = client.get(html.unescape(href))
        assert answer.status_code == 200, (href, answer.content.decode()[:300])
        listed = re.sub(r"<[^>]+>", "", answer.content.decode())
        assert re.search(rf"(?<!\d){figure} {counter}", listed), (key, query, figure)


def test_what_is_worse_the_more_is_drawn_in_the_ramp_of_gaps(manager: Client) -> None:
    report(Facility.objects.filter(status="open").order_by("pk")[0], 2)
    text, told = page_of(manager, "/watch/heat/place_reports?by=9&step=month")
    assert 'class="fill-gap-' in text
    assert "fill-quantity" not in text
    assert manager.get(told["api"] + "&bbox=120,30,123,32").json()["palette"] == "gap"
    text, _ = page_of(manager, "/watch/heat/place_reports?by=9&step=month&with=" + str(first_of(2)))
    assert "fill-gap-" not in text
    text, _ = page_of(manager, "/watch/heat/elder_places?by=9")
    assert 'class="fill-quantity-' in text


def test_a_ratio_is_told_by_region_and_made_no_rate(manager: Client) -> None:
    for place in Facility.objects.filter(status="open").order_by("pk")[:3]:
        report(place, 2)
    text, _ = page_of(manager, "/watch/heat/reports_per_place?step=month&by=district")
    assert "件/百处" in text
    assert "每千人" not in text
    assert "合计" not in text
    assert re.search(r"最高，[\d.]+ 件/百处", text)
    assert manager.get("/watch/heat/reports_per_place?by=8").status_code == 400
    refused = manager.get("/api/v1/heat/reports_per_place", {"by": "district", "per": "1000"})
    assert (refused.status_code, refused.json()["code"]) == (400, "fact_is_ratio")
    text, _ = page_of(manager, "/watch/heat/gaps_nursery")
    assert "没有" in text  # measured nowhere yet: —, not 0
    assert set(table_in(text).values()) == {"—"}
