"""服务盲区 over HTTP: figures held against adding up committee by committee, scope, change, refusals, what nobody may learn."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict

import h3
import numpy as np
import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from python_calamine import CalamineWorkbook

from geo.addresses.gazetteer import names_of, published_now
from geo.imports.models import CURRENT
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.regions.models import RegionVersion
from layers.disclosure import K
from services.access.actions import grant_role
from services.access.models import AuditAct, AuditEntry, User
from services.facilities.models import Facility
from services.gaps.queries import AGES
from services.gaps.tasks import freshen
from tests.services.fencing.serving.asking import planner_of
from tests.services.gaps.measured import (
    BANDS,
    HUANGPU,
    KIND,
    few_kinds,
    held,
    measure,
    seconds_one_by_one,
    told_by_hand,
)

pytestmark = pytest.mark.usefixtures("city")
PAGE = "/plan/gaps"


@pytest.fixture
def planner(client: Client) -> Client:
    few_kinds()
    client.force_login(planner_of(HUANGPU))
    return client


def text_of(client: Client, query: str = "", status: int = 200) -> str:
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == status, response.content[:2000]
    return response.content.decode()


def table_of(client: Client, query: str) -> dict[str, list[str]]:
    """Return the file's lines by code, '' being the sum."""
    response = client.get(f"{PAGE}/table?{query}&format=csv")
    assert response.status_code == 200
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    return {row[0]: row for row in rows[1:]}


def figures(row: list[str]) -> tuple[list[int], list[int], list[int]]:
    """Return residents and those within each of the minutes, shares, gaps."""
    return [int(each) for each in row[2:6]], [int(each) for each in row[6:9]], [int(each) for each in row[9:12]]


def by_hand(level: str, ages: str, within: str) -> dict[str, list[float]]:
    """Add up residents, and those within 5, 10 and 15 minutes, of told committees by the code of a region."""
    ground, walks = held()
    names, told = names_of(published_now()), told_by_hand()
    low, high, _ = AGES[ages]
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    for row, unit in enumerate(ground.units.tolist()):
        region = names.regions[unit]
        if unit not in told or not region.path.startswith(names.by_code[within].path):
            continue
        persons = sum(told[unit][at] for at, (first, last) in enumerate(BANDS) if low <= first and last <= high)
        above = names.above(region, level)
        assert above is not None
        sums = [persons, *(persons * walks.within[row, at] for at in range(3))]
        found[above.code] = [old + new for old, new in zip(found[above.code], sums, strict=True)]
    return found


def middle_of(outline: list[int]) -> tuple[float, float]:
    """Return the middle of a cell of the map in degrees."""
    lon, lat, *rest = outline
    xs, ys = [0, *rest[::2]], [0, *rest[1::2]]
    return (lon + sum(xs) / len(xs)) / 1e5, (lat + sum(ys) / len(ys)) / 1e5


def in_huangpu(unit: int) -> bool:
    return names_of(published_now()).regions[int(unit)].code.startswith(HUANGPU)


def test_before_anything_is_measured_the_page_says_how_to_begin(planner: Client) -> None:
    text = text_of(planner)
    assert "还没有计算" in text
    assert "<table" not in text
    assert planner.get(f"{PAGE}/map.json").status_code == 404
    assert planner.post(f"{PAGE}/act", {"act": "start"}).status_code == 302
    assert planner.post(f"{PAGE}/act", {"act": "start"}).status_code == 302
    (job,) = Job.objects.filter(kind="gaps.measure")
    assert "排队中" in text_of(planner)
    assert run_job(job_id=job.pk).state == JobState.DONE
    assert 'id="gaps-table"' in text_of(planner, f"kind={KIND}")


def test_residents_within_minutes_are_those_of_the_committees_by_age_and_level(planner: Client) -> None:
    measure()
    for ages in ("all", "3-5", "60-", "80-"):
        for level in ("street", "committee"):
            said = table_of(planner, f"kind={KIND}&ages={ages}&level={level}&region={HUANGPU}")
            wanted = by_hand(level, ages, HUANGPU)
            told = {code: row for code, row in said.items() if code and row[2].isdecimal()}
            assert told.keys() == wanted.keys()
            for code, row in told.items():
                counts, shares, gaps = figures(row)
                assert np.abs(np.array(counts) - wanted[code]).max() <= K / 2 + 1e-6
                assert gaps == [counts[0] - each for each in counts[1:]]
                assert shares == [round(100 * each / counts[0]) for each in counts[1:]]
    ground, walks = held()
    told = told_by_hand()
    own = {row: sum(told[unit]) for row, unit in enumerate(ground.units.tolist()) if unit in told}
    own = {
        row: count for row, count in own.items() if not np.isnan(walks.mean_s[row]) and in_huangpu(ground.units[row])
    }
    mean = sum(walks.mean_s[row] * count for row, count in own.items()) / sum(own.values()) / 60
    assert float(table_of(planner, f"kind={KIND}&ages=all&region={HUANGPU}")[""][12]) == pytest.approx(mean, abs=0.051)
    total = figures(table_of(planner, f"kind={KIND}&ages=all&region={HUANGPU}")[""])[0]
    whole = np.sum(list(by_hand("street", "all", HUANGPU).values()), axis=0)
    assert np.abs(np.array(total) - whole).max() <= K / 2 + 1e-6
    assert total[0] > 1_000


def test_page_table_and_finding_say_the_same(planner: Client) -> None:
    measure()
    text = text_of(planner, f"kind={KIND}&minutes=10&region={HUANGPU}")
    said = table_of(planner, f"kind={KIND}&minutes=10&region={HUANGPU}")
    counts, shares, gaps = figures(said[""])
    finding = re.search(r'<h2 id="finding"[^>]*>([^<]+)</h2>', text)
    assert finding is not None
    assert f"3–5 岁居民有 {shares[1]}% 走 10 分钟能到幼儿园" in finding[1], (
        "kindergartens are for those from three to five"
    )
    assert f"约 {gaps[1]:,} 人走不到" in finding[1]
    assert f"<title>{finding[1]}" in text.replace("\n", "")
    rows = re.findall(r'<tr data-code="(\d+)">(.*?)</tr>', text, re.S)
    assert [code for code, _ in rows] == [code for code in said if code], "page and file in one order"
    assert [gaps for *_, gaps in map(figures, said.values())][0][1] == max(
        figures(row)[2][1] for code, row in said.items() if code
    )
    for code, row in rows:
        assert f"{figures(said[code])[0][0]:,}" in row
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(planner.get(f"{PAGE}/table?kind={KIND}&minutes=10&region={HUANGPU}&format=xlsx").content)
    )
    lines = book.get_sheet_by_name("服务盲区").to_python()
    assert [str(line[0]) for line in lines[1:]] == list(said)
    taken = AuditEntry.objects.filter(act=AuditAct.LEDGER_EXPORTED, detail__ledger="gaps")
    assert taken.count() == 2


def test_the_map_tells_minutes_as_a_search_from_the_cell_and_shares_as_the_table(planner: Client) -> None:
    measure()
    street = next(
        region.code for region in names_of(published_now()).regions.values()
        if region.level == "street" and region.code.startswith(HUANGPU)
    )  # fmt: skip
    data = json.loads(planner.get(f"{PAGE}/map.json?kind={KIND}&region={street}").content)
    cells = data["cells"]
    assert len(cells["outlines"]) == len(cells["minutes"]) == len(cells["classes"]) > 10
    spots = []
    for outline in cells["outlines"][:12]:
        lon, lat = middle_of(outline)
        cell = h3.latlng_to_cell(lat, lon, 10)
        spots.append(h3.cell_to_latlng(cell)[::-1])
    for at, seconds in enumerate(seconds_one_by_one(spots)):
        assert abs(cells["minutes"][at] - seconds / 60) <= 0.1
        if min(abs(seconds / 60 - end) for end in (5, 10, 15, 30)) > 0.1:
            assert cells["classes"][at] == 1 + sum(seconds / 60 > end for end in (5, 10, 15, 30))
    coarse = json.loads(planner.get(f"{PAGE}/map.json?kind={KIND}&region={HUANGPU}").content)
    assert 10 < len(coarse["cells"]["outlines"]) < 12_000
    shares = json.loads(planner.get(f"{PAGE}/map.json?kind={KIND}&region={HUANGPU}&show=share").content)
    said = table_of(planner, f"kind={KIND}&region={HUANGPU}")
    for each in shares["regions"]["features"]:
        own = said[each["properties"]["code"]]
        assert each["properties"]["said"].endswith(f"：{own[8]}%") or not own[8].isdecimal()
    names = {each["properties"]["name"] for each in data["places"]["features"]}
    assert names <= set(Facility.objects.filter(kind=KIND, status="open").values_list("name", flat=True))


def test_a_place_that_opens_at_the_desk_changes_the_figures(planner: Client) -> None:
    own = Facility.objects.filter(CURRENT, kind=KIND, region__versions__path__startswith=f"310000.{HUANGPU}.")
    place = own.order_by("pk")[0]
    Facility.objects.filter(kind=KIND).exclude(pk=place.pk).update(status="closed")
    Facility.objects.filter(pk=place.pk).update(status="suspended")
    measure()
    query = f"kind={KIND}&ages=all&region={HUANGPU}"
    assert figures(table_of(planner, query)[""])[0][1:] == [0, 0, 0]
    assert "全市还没有开放的幼儿园" in text_of(planner, query)
    clerk = User.objects.create(username="keeper")
    region = RegionVersion.objects.get(edition__state="published", code=HUANGPU).region
    grant_role(user=clerk, role="district_manager", granted_by="shi", region=region)
    keeper = Client()
    keeper.force_login(clerk)
    answer = keeper.post(
        f"/desk/facilities/{place.pk}/status", {"status": "open", "reason": "开园", "effective_on": ""}
    )
    assert answer.status_code == 302, answer.content
    assert "还没有重算" in text_of(planner, query), "older figures are said to be older"
    assert freshen() == 1
    (job,) = Job.objects.filter(kind="gaps.measure", state=JobState.QUEUED)
    assert run_job(job_id=job.pk).result["kinds"] == 1  # type: ignore[index]
    after, shares, gaps = figures(table_of(planner, query)[""])
    assert after[3] > 100
    assert gaps[2] == after[0] - after[3]
    text = text_of(planner, query)
    assert "还没有重算" not in text
    assert f"有 {shares[2]}% 走 15 分钟能到幼儿园" in text


def test_one_more_place_does_what_it_would_do_and_nothing_is_kept(planner: Client) -> None:
    place = Facility.objects.filter(CURRENT, kind=KIND, region__versions__path__startswith=f"310000.{HUANGPU}.")[0]
    Facility.objects.filter(kind=KIND).update(status="closed")
    measure()
    before = held()[1].seconds
    query = f"kind={KIND}&ages=all&region={HUANGPU}"
    text = text_of(planner, f"{query}&lon={place.geom.x:.6f}&lat={place.geom.y:.6f}")
    said = re.search(r"多约 ([\d,]+) 人走 15 分钟能到", text)
    assert said is not None
    gained = int(said[1].replace(",", ""))
    assert (held()[1].seconds == before).all()
    assert table_of(planner, query)[""][5] == "0"
    Facility.objects.filter(pk=place.pk).update(status="open")
    measure()
    assert abs(figures(table_of(planner, query)[""])[0][3] - gained) <= K, "six digits of a degree are a decimetre"
    assert gained > 100
    again = text_of(planner, f"{query}&lon={place.geom.x:.6f}&lat={place.geom.y:.6f}")
    assert "人不增加" in again
    sea = planner.get(f"{PAGE}?{query}&lon=122.9&lat=30.6")
    assert sea.status_code == 400
    assert "gaps-table" in sea.content.decode(), "the figures stay beside what is refused"
    assert planner.get(f"{PAGE}?{query}&place=没有这个地方").status_code == 400


def test_a_planner_of_a_district_sees_his_own_only(planner: Client) -> None:
    measure()
    own = names_of(published_now()).by_code[HUANGPU]
    said = table_of(planner, f"kind={KIND}")
    assert {code[:6] for code in said if code} == {HUANGPU}
    assert f"{own.name} 3–5 岁居民" in text_of(planner, f"kind={KIND}"), "his district without asking"
    other = next(
        each for each in names_of(published_now()).regions.values() if each.level == "district" and each.code != HUANGPU
    )
    for address in (
        f"{PAGE}?region={other.code}",
        f"{PAGE}/map.json?region={other.code}",
        f"{PAGE}/table?region={other.code}",
    ):
        assert planner.get(address).status_code == 404
    assert other.name not in text_of(planner, f"kind={KIND}")
    whole = json.loads(planner.get(f"{PAGE}/map.json?kind={KIND}").content)
    bounds = RegionVersion.objects.get(edition__state="published", code=HUANGPU).geom.buffer(0.003)
    for outline in whole["cells"]["outlines"]:
        assert bounds.contains(Point(*middle_of(outline), srid=bounds.srid))


def test_who_has_not_the_duty_or_is_nobody_gets_nothing(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(User.objects.create(username="nobody"))
    for address in (PAGE, f"{PAGE}/map.json", f"{PAGE}/table"):
        assert client.get(address).status_code == 403
    assert client.post(f"{PAGE}/act", {"act": "start"}).status_code == 403
    assert not Job.objects.filter(kind="gaps.measure").exists()


@pytest.mark.parametrize("query", ["kind=nowhere", "ages=1-4", "minutes=7", "minutes=x", "sort=name"])
def test_what_is_not_offered_is_refused(planner: Client, query: str) -> None:
    assert planner.get(f"{PAGE}?{query}").status_code == 400
