"""The page of choropleths over HTTP: what it says with every figure, to whom, by which addresses, and what is taken from it."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from layers.choropleths.queries import Asked, board_of
from layers.choropleths.spec import month_before, short_name
from layers.facts.registry import fact
from services.access.models import AuditAct, AuditEntry
from services.facilities.models import Facility
from tests.layers.choropleths.samples import copy_places, last_month, report_places, this_month, use_finder, versions
from tests.layers.choropleths.test_board import ALL
from tests.web.test_kinds import anyone, signed_in

pytestmark = pytest.mark.usefixtures("city")


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def plain(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def ranking(page: str) -> list[str]:
    return [plain(row).strip() for row in re.findall(r'<a class="areas-row".*?</a>', page, re.DOTALL)]


def titles(page: str) -> list[str]:
    return [re.search(rf'<h2 id="{key}"[^>]*>([^<]*)</h2>', page)[1] for key in ("rank", "finding")]  # type: ignore[index]


def test_map_ranking_and_legend_say_the_same_figures() -> None:
    copy_places()
    page = text(signed_in("shi").get("/watch/areas/childcare_places"))
    board = board_of(fact("childcare_places", scope=ALL), Asked(), "", scope=ALL)
    rows = ranking(page)
    assert len(rows) == len(board.areas) == 16
    for row, area in zip(rows, board.areas, strict=True):
        value = area.figure.value
        assert row == (f"{area.rank} {area.place.name} {value:,.0f}" if value is not None else f"{area.place.name} —")
        said = f'aria-label="{area.place.name} {"—" if value is None else f"{value:,.0f}"}"'
        assert said in page  # the outline on the map
    assert "0" not in {row.split()[-1] for row in rows}  # a district without registered places has none, not 0
    assert titles(page) == ["杨浦、浦东最多", "有数据的 15 个区里，最多的杨浦是最少的 12 倍"]
    legend = page[page.index('aria-label="图例"') : page.index("怎么分级")]
    assert sum(int(found) for found in re.findall(r"(\d+) 个区", legend)) == 16
    assert "无数据" in legend
    assert "审图号" in page
    assert "中心城区放大" in page


def test_a_click_leads_down_to_the_rows_of_the_ledger() -> None:
    client = signed_in("shi")
    page = text(client.get("/watch/areas/elder_places"))
    row = next(found for found in re.findall(r'<a class="areas-row" href="([^"]+)"', page) if "310101" in found)
    page = text(client.get(row))
    assert "黄浦区 · 养老服务设施" in page
    street = re.findall(r'<a class="areas-row" href="([^"]+)"', page)[0]
    page = text(client.get(street))
    committee = re.findall(r'<a class="areas-row" href="([^"]+)"', page)[0]
    assert '<circle class="areas-dot"' in page  # the places themselves
    page = text(client.get(committee))
    assert page.count('aria-current="true" ') + page.count('aria-current="true">') >= 1
    assert '<path class="areas-chosen"' in page
    total = int(re.search(r'<h2 id="rows">[^：]+：(\d+) 家', page)[1])  # type: ignore[index]
    listed = re.search(r'<a class="button primary" href="([^"]+)"', page)[1]  # type: ignore[index]
    assert re.search(rf"(?<!\d){total} 家", plain(text(client.get(listed))))
    figure = next(each for each in ranking(page) if each)
    assert figure.split()[-1] == str(total)  # the first of the ranking was opened
    record = re.search(r'<ul class="plain areas-rows"><li><a href="([^"]+)"', page)[1]  # type: ignore[index]
    assert client.get(record).status_code == 200


def test_everyone_opens_at_their_own_region_and_sees_no_other() -> None:
    assert anyone().get("/watch/areas/places").status_code == 302
    assert signed_in("guihua").get("/watch/areas/places").status_code == 403
    district, street = signed_in("qu"), signed_in("jiezhen")
    assert "黄浦区 · 服务设施" in text(district.get("/watch/areas/places"))
    own = next(each for each in versions("street", "310000.310101.") if each.name == "老西门街道")
    page = text(street.get("/watch/areas/places"))
    assert "老西门街道 · 服务设施" in page
    assert not re.search(r"region=310101(?!\d)", page)
    for client, code in ((district, "310110"), (district, "310000"), (street, "310101"), (district, "nowhere")):
        for place in (f"/watch/areas/places?region={code}", f"/watch/areas/places/table?region={code}"):
            assert client.get(place).status_code == 404
    assert "杨浦" not in page
    assert district.get(f"/watch/areas/places?region={own.code}").status_code == 200
    assert district.get("/watch").status_code == 302
    home = district.get("/watch/areas")
    assert (home.status_code, home["Location"]) == (302, "/watch/areas/places")


def test_few_uses_are_hatched_and_said_to_be_kept_back() -> None:
    streets = versions("street", "310000.310101.")
    use_finder(last_month(), {streets[0].region_id: 4, streets[1].region_id: 30, streets[2].region_id: 55})
    page = text(signed_in("shi").get("/watch/areas/finder_uses?region=310101"))
    assert titles(page) == [f"{short_name(streets[2].name)}最多", "有数据的 8 个街镇里，7 个街镇一次也没有"]
    said = {row.split()[-4]: row.split()[-3] for row in ranking(page)}
    assert [said[street.name] for street in streets[:3]] == ["未公布", "未公布", "55"]
    assert "hatched-hidden" in page
    assert 'fill="url(#hidden-whole)"' in page
    body = signed_in("shi").get("/watch/areas/finder_uses/table?region=310101&format=csv").content.decode("utf-8-sig")
    rows = {row[2]: row[3] for row in csv.reader(io.StringIO(body))}
    assert [rows[street.name] for street in streets[:3]] == ["未公布", "未公布", "55.0"]


def test_a_month_is_in_the_address_and_its_line_says_where_it_went() -> None:
    report_places(3, 9, 14, 20)
    client = signed_in("shi")
    page = text(client.get("/watch/areas/place_reports"))
    last = last_month()
    assert f"{last.year}年{last.month}月" in page
    first = month_before(last, 2)
    assert f"减少 55%：{first.year}年{first.month}月 20 件，{last.year}年{last.month}月 9 件" in page
    assert f"month={this_month():%Y-%m}" in page
    now = text(client.get(f"/watch/areas/place_reports?month={this_month():%Y-%m}"))
    assert {row.split()[-1] for row in ranking(now)} == {"—"}  # a month that is not over is compared with none
    change = text(client.get("/watch/areas/place_reports?measure=change"))
    assert "−" in "".join(ranking(change))
    empty = text(client.get(f"/watch/areas/place_reports?month={month_before(last, 9):%Y-%m}"))
    assert titles(empty) == ["全市没有数据", "全市没有数据"]
    assert {row.split()[-3] for row in ranking(empty)} == {"—"}
    listed = re.search(r'<a class="button primary" href="([^"]+)"', page)[1]  # type: ignore[index]
    assert re.search(r"(?<!\d)9 条", plain(text(client.get(listed))))


@pytest.mark.parametrize(
    "query",
    [
        "measure=none", "measure=change", "month=2026-11", "method=odd", "method=manual", "method=manual&breaks=5,2",
        "method=manual&breaks=a", "method=manual&breaks=1,nan", "method=manual&breaks=1,1",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused_in_words(query: str) -> None:
    answer = signed_in("shi").get(f"/watch/areas/childcare?{query}")
    assert answer.status_code == 400
    assert re.search("[一-鿿]{6}", html.unescape(answer.content.decode()))


def test_classes_are_cut_as_asked() -> None:
    copy_places()
    page = text(signed_in("shi").get("/watch/areas/childcare?method=manual&breaks=2，6, 10"))
    legend = page[page.index('aria-label="图例"') : page.index("怎么分级")]
    assert [words for words in ("< 2", "2–5", "6–9", "≥ 10") if words in legend] == ["< 2", "2–5", "6–9", "≥ 10"]
    assert 'value="2，6, 10"' in page
    assert signed_in("shi").get("/watch/areas/childcare?classes=99999999999999999999").status_code == 200


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_ranking_is_taken_as_a_file_and_noted(ending: str) -> None:
    copy_places()
    client = signed_in("shi")
    answer = client.get("/watch/areas/childcare_places/table", {"format": ending, "measure": "rate"})
    assert answer.status_code == 200
    if ending == "csv":
        rows: list[list[Any]] = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    else:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["名次", "区划代码", "区划", "托位（个/千人）"]
    from layers.choropleths.spec import Measure

    board = board_of(fact("childcare_places", scope=ALL), Asked(Measure.RATE), "", scope=ALL)
    assert [row[1] for row in rows[1:]] == [area.place.code for area in board.areas]
    assert [row[3] if row[3] == "—" else float(row[3]) for row in rows[1:]] == [
        "—" if area.figure.value is None else area.figure.value for area in board.areas
    ]
    noted = AuditEntry.objects.filter(act=AuditAct.LEDGER_EXPORTED).latest("pk")
    assert noted.detail["ledger"] == "areas-childcare_places"
    assert (noted.detail["rows"], noted.detail["measure"], noted.detail["format"]) == (16, "rate", ending)
    assert client.get("/watch/areas/childcare_places/table?format=pdf").status_code == 400


def test_nothing_but_reading_is_answered() -> None:
    client = signed_in("shi")
    for place in ("/watch/areas", "/watch/areas/places", "/watch/areas/places/table"):
        assert client.post(place).status_code == 405
    assert client.get("/watch/areas/nothing").status_code == 404
    assert isinstance(client, Client)


def test_a_ratio_has_no_shares_compares_with_the_whole_and_leads_on() -> None:
    copy_places()
    told, now = Facility.objects.exclude(vacancies_as_of=None), timezone.now()
    told.update(vacancies_as_of=now - dt.timedelta(days=31))
    told.filter(kind__group="eldercare").update(vacancies_as_of=now)
    client = signed_in("shi")
    page = text(client.get("/watch/areas/unconfirmed_share"))
    assert 'aria-label="怎么算"' not in page  # neither a share nor a rate of a rate
    assert re.search(r"\d+ 个区高于全市的 [\d.]+ %", titles(page)[1])
    assert all(re.search(r"(—|\d+\.\d)$", row) for row in ranking(page))  # one digit, or none
    assert "fill-gap-" in page
    total = int(re.search(r'<h2 id="rows">[^：]+：(\d+) 家', page)[1])  # type: ignore[index]
    listed = re.search(r'<a class="button primary" href="([^"]+)"', page)[1]  # type: ignore[index]
    assert re.search(rf"(?<!\d){total} 家", plain(text(client.get(listed))))
    for measure in ("rate", "share"):
        assert client.get(f"/watch/areas/unconfirmed_share?measure={measure}").status_code == 400
    page = text(client.get("/watch/areas/gaps_nursery?region=310101"))
    assert titles(page) == ["黄浦区没有数据"] * 2  # before it is measured: — and not 0
    on = re.search(r'<a class="button primary" href="(/plan/gaps[^"]+)"', page)[1]  # type: ignore[index]
    assert on == "/plan/gaps?kind=nursery&ages=0-2&minutes=15&region=310101"
    assert client.get(on).status_code == 200
    cards = re.findall(r'<span class="areas-card-name">([^<]+)</span>', text(client.get("/watch/areas/kindergartens")))
    assert len(cards) == 9
    assert "幼儿园" in cards  # the chosen one always
    report_places(0, 9, 14)
    page = text(client.get("/watch/areas/reports_per_place"))
    how = page[page.index('aria-label="怎么算"') :]
    assert "占比" not in how[: how.index("</nav>")]
    assert re.search(r"(升高|降低) [\d.]+ 件/百处：", page)
    assert page.count('<svg class="areas-trend-line') == 2  # for a desk and for a telephone
