"""The page of one place: each fact with its day and source, what is unknown, photos, the code to scan, and comparing."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from geo.imports.models import Correction
from geo.scope import Scope
from services.facilities.known import BY_STAFF, UNKNOWN, Known, known_of
from services.facilities.models import Facility
from services.facilities.qr import qr_svg
from services.facilities.queries import facility_detail
from services.kernel.documents.models import Attachment, ScanState
from tests.services.kernel.documents.files import picture
from tests.services.modules.finder.conftest import Family, said, staff
from web.doors.finder.comparing import compared

PUBLIC = Scope.public()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("elder", [False, True])
def test_every_fact_stands_with_its_day_and_its_source(
    family: Family, places: dict[str, Facility], elder: bool
) -> None:
    if elder:
        family.device.cookies["elder"] = "1"
    for place in places.values():
        page = said(family.device.get(f"/places/{place.pk}"))
        detail = facility_detail(place.pk, scope=PUBLIC)
        facts = known_of(detail)
        assert {"开放时间", "余位和规模", "收费", "联系"} <= {fact.section for fact in facts}
        for fact in facts:
            assert fact.label in page
            for line in fact.lines if fact.said else ():
                assert line in words(page)
        given_facts = sum(fact.said for fact in facts)
        assert len(re.findall(r"(?:截至 [^<]*?日|没有注明日期) · [^<\s]", page)) >= given_facts
        assert detail.source in page


def test_what_nobody_has_said_is_named_as_unknown(family: Family, places: dict[str, Facility]) -> None:
    nursery = places["nursery"]
    Facility.objects.filter(pk=nursery.pk).update(
        attributes={}, hours={}, phone="", vacancies=None, vacancies_as_of=None, places=None, as_of=None
    )
    facts = known_of(facility_detail(nursery.pk, scope=PUBLIC))
    unsaid = {fact.label for fact in facts if not fact.said}
    assert {"开放时间", "余位", "托位", "适合月龄", "每月收费", "供餐", "等级", "普惠", "电话"} <= unsaid
    assert all(fact.lines == (UNKNOWN,) for fact in facts if not fact.said)
    for elder in ("", "1"):
        family.device.cookies["elder"] = elder
        page = words(said(family.device.get(f"/places/{nursery.pk}")))
        assert "还没有登记：" in page
        assert "供餐" in page
        assert UNKNOWN in page
        assert "没有注明日期" in page


def test_what_staff_set_right_says_so_with_the_day_they_did(family: Family, places: dict[str, Facility]) -> None:
    place = places["nursery"]
    for field in ("phone", "attributes.meals"):
        Correction.objects.create(source=place.source, ext_id=place.ext_id, field=field, reason="核对", actor="qu")
    Correction.objects.create(
        source=place.source, ext_id=place.ext_id, field="name", reason="", actor="qu",
        cleared_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    facts = {fact.key: fact for fact in known_of(facility_detail(place.pk, scope=PUBLIC))}
    assert facts["phone"].source == facts["meals"].source == BY_STAFF
    assert facts["phone"].as_of == Correction.objects.filter(field="phone").get().created_at.astimezone().date()
    assert facts["address_text"].source != BY_STAFF


def test_photos_of_the_desk_are_shown_with_words_and_a_text_is_no_photo(
    family: Family, places: dict[str, Facility], tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    place, clerk = places["nursery"], staff("qu")
    asked = {"kind": "facilities", "owner_id": str(place.pk), "purpose": "photo"}

    def send(name: str, data: bytes) -> Any:
        return clerk.post("/desk/files/upload", asked | {"file": SimpleUploadedFile(name, data)})

    assert "IMG" not in said(family.device.get(f"/places/{place.pk}"))
    assert send("门口.jpg", "这不是照片".encode()).status_code != 302
    assert not Attachment.objects.exists()
    assert send("门口的大树.jpg", picture("JPEG")).status_code == 302
    assert send("IMG_2031.png", picture("PNG")).status_code == 302
    page = said(family.device.get(f"/places/{place.pk}"))
    assert "/files/" not in page  # not before the scanner has seen them
    Attachment.objects.update(state=ScanState.CLEAN)
    for elder in ("", "1"):
        family.device.cookies["elder"] = elder
        page = said(family.device.get(f"/places/{place.pk}"))
        assert f'alt="{place.name}：门口的大树"' in page or f'alt="{place.name}的照片' in page
    family.device.cookies["elder"] = ""
    page = said(family.device.get(f"/places/{place.pk}"))
    assert "IMG_2031" not in page
    assert f'alt="{place.name}的照片' in page
    for source in re.findall(r'<img src="(/files/[^"]+)"', page):
        answer = family.device.get(source)
        assert answer["Content-Type"] == "image/webp"
        for close in answer._resource_closers:
            close()  # the file alone: closing the answer would end the transaction that the test stands on


def test_the_code_leads_to_the_page_and_says_nothing_of_who_shows_it(
    family: Family, places: dict[str, Facility]
) -> None:
    place = places["nursery"]
    drawn = family.device.get(f"/places/{place.pk}/qr.svg")
    assert drawn["Content-Type"] == "image/svg+xml"
    assert drawn.content == qr_svg(f"http://localhost/places/{place.pk}")
    assert drawn.content != qr_svg(f"http://localhost/places/{place.pk + 1}")
    page = said(family.device.get(f"/places/{place.pk}", {"lon": 121.4737, "lat": 31.2304, "at": "家"}))
    assert f'src="/places/{place.pk}/qr.svg"' in page
    assert Client(headers={"host": "localhost"}).get("/places/999999999/qr.svg").status_code == 404


def test_up_to_three_stand_side_by_side_and_what_differs_is_marked(family: Family, places: dict[str, Facility]) -> None:
    first, second, third, fourth = Facility.objects.filter(kind__in=["nursery", "baby_house"], status="open").order_by(
        "-kind", "pk"
    )[:4]
    Facility.objects.filter(pk__in=[first.pk, second.pk]).update(attributes={"meals": True, "fee_month_yuan": 3000})
    Facility.objects.filter(pk=second.pk).update(attributes={"meals": False, "fee_month_yuan": 3000})
    page = said(family.device.get("/places/compare", {"ids": f"{first.pk},{second.pk}"}))
    lines = re.findall(r'<tr( class="differs")?><th scope="row">([^<]+?)\s*<', page)
    rows = {label: bool(mark) for mark, label in lines}
    assert rows["供餐"]
    assert rows["地址"]
    assert not rows["每月收费"]
    assert page.count("截至") + page.count("没有注明日期") > 10
    # The same by ticks of a form; a fourth is said not to fit; without one, and from one without to three.
    ticked = said(family.device.get(f"/places/compare?ids={first.pk}&ids={second.pk}&ids={third.pk}&ids={fourth.pk}"))
    assert ticked.count('scope="col"') == 3
    assert "最多比较 3 家" in ticked
    assert fourth.name not in ticked
    assert f'href="/places/compare?ids={second.pk},{third.pk}"' in ticked
    different = said(family.device.get("/places/compare", {"ids": f"{first.pk},{second.pk}", "only": "different"}))
    assert "供餐" in different
    assert "每月收费" not in different
    family.device.post("/saved/mark", {"keep": third.pk})
    assert f'href="/places/compare?ids={first.pk},{third.pk}"' in said(
        family.device.get("/places/compare", {"ids": first.pk})
    )
    # A place of another kind has facts of its own; ids that mean nothing are passed over or said.
    mixed = said(family.device.get("/places/compare", {"ids": f"{first.pk},{places['care_home'].pk}"}))
    assert "这类机构没有这一项" in mixed
    assert "床位" in mixed
    assert "有 1 家没有找到" in said(family.device.get("/places/compare", {"ids": f"{first.pk},999999999,x,-1"}))
    assert "还没有选" in said(family.device.get("/places/compare", {"ids": "<script>,９"}))
    family.device.cookies["elder"] = "1"
    assert "不一样" in said(family.device.get("/places/compare", {"ids": f"{first.pk},{second.pk}"}))


FACTS = st.lists(
    st.builds(
        Known,
        key=st.just("k"),
        section=st.sampled_from("AB"),
        label=st.sampled_from("xyz"),
        lines=st.tuples(st.sampled_from("12")),
        as_of=st.none(),
        source=st.just(""),
    ),
    max_size=6,
    unique_by=lambda fact: (fact.section, fact.label),
)


@tried(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(FACTS, min_size=1, max_size=3))
def test_no_fact_is_lost_or_put_into_another_place_by_comparing(places: list[list[Known]]) -> None:
    cells = {
        (section.name, row.label, at): cell
        for section in compared(places)
        for row in section.rows
        for at, cell in enumerate(row.cells)
    }
    told = {(fact.section, fact.label, at): fact for at, facts in enumerate(places) for fact in facts}
    assert {key: cell for key, cell in cells.items() if cell} == told
    for section in compared(places):
        for row in section.rows:
            assert row.differs == (len({cell.lines if cell else None for cell in row.cells}) > 1)


def test_the_sheet_on_paper_bears_the_code_where_the_site_has_an_address(
    family: Family, places: dict[str, Facility], settings: Any
) -> None:
    from services.facilities.documents import TEMPLATES, facts_of
    from services.kernel.documents.rendering.documents import Text, render_document

    place, spec = places["nursery"], TEMPLATES[0]
    text = Text(spec, spec.source, "typ", "")
    dated = {"生成日期": "2026年3月1日", "经办人": "示例"}
    settings.SITE_URL = ""
    assert facts_of(str(place.pk), PUBLIC)["二维码"] == ""
    plain = render_document(text, {**facts_of(str(place.pk), PUBLIC), **dated}, "pdf")
    settings.SITE_URL = "https://quantu.example"
    given_facts = facts_of(str(place.pk), PUBLIC)
    assert given_facts["网址"] == f"https://quantu.example/places/{place.pk}"
    coded = render_document(text, {**given_facts, **dated}, "pdf")
    dark = [_dark_share(pdf) for pdf in (plain, coded)]
    assert dark[1] > dark[0] + 0.002  # the modules of a code of 2.8 cm on a page of A4


def _dark_share(pdf: bytes) -> float:
    import pypdfium2

    page = pypdfium2.PdfDocument(pdf)[0].render(scale=1, grayscale=True).to_numpy()
    return float((page < 100).mean())
