"""“我的机构”: two taps confirm what stands, a slip is taken back, and nobody confirms what another just changed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.utils import timezone

from services.facilities.models import CapacityReport, Facility
from services.facilities.queries import city_now
from services.modules.selfreport.models import Confirmation
from tests.services.modules.selfreport.conftest import House, device, said, staff


def card(page: str, place: Facility) -> str:
    found = re.search(rf'<article class="card own-place" id="place-{place.pk}">.*?</article>', page, re.DOTALL)
    assert found
    return found[0]


def form_of(page: str, place: Facility, **changed: str) -> dict[str, str]:
    own = card(page, place)
    fields = {name: re.findall(rf'name="{name}" value="([^"]*)"', own)[0] for name in ("seen", "mark")}
    return fields | changed


def confirm(client: Any, place: Facility, fields: dict[str, str]) -> Any:
    return client.post(f"/my/places/{place.pk}/confirm", fields)


def test_two_taps_confirm_vacancies_and_hours_and_families_see_it_at_once(house: House) -> None:
    head, family = staff("jigou"), device()
    assert "余位待确认" in said(family.get(f"/places/{house.first.pk}")) or "待确认" in said(
        family.get(f"/places/{house.first.pk}")
    )
    page = said(head.get("/my/places"))
    assert "有 2 家的余位超过 30 天没有确认" in page
    own = card(page, house.first)
    for words in ("3 个，共 60 个托位", "周一至周五 08:00–17:00", "待确认", "仍然如此"):
        assert words in own
    answer = confirm(head, house.first, form_of(page, house.first))
    assert answer["Location"] == f"/my/places#place-{house.first.pk}"
    house.first.refresh_from_db()
    assert (house.first.places, house.first.vacancies, house.first.vacancies_source) == (60, 3, "institution")
    assert house.first.vacancies_as_of is not None
    assert timezone.now() - house.first.vacancies_as_of < dt.timedelta(minutes=1)
    assert house.first.hours_as_of == city_now().date()
    report = CapacityReport.objects.filter(facility=house.first).first()
    assert report is not None
    assert (report.reported_by, report.actor) == ("institution", "jigou")
    assert "截至" in said(family.get(f"/places/{house.first.pk}"))
    page = said(head.get("/my/places"))
    assert "已确认" in card(page, house.first)
    assert "有 1 家" in page


def test_other_figures_are_confirmed_and_impossible_ones_keep_what_was_typed(house: House) -> None:
    head = staff("jigou")
    page = said(head.get("/my/places"))
    change = {"change": "1", "places": "60"}
    for vacancies, words in (
        ("", "请填写余位"),
        ("61", "余位 61 多于名额 60"),
        ("三", "余位要填整数"),
        ("-1", "余位要填整数"),
    ):
        answer = confirm(head, house.first, form_of(page, house.first, vacancies=vacancies, **change))
        assert answer.status_code in {400, 422}, vacancies
        assert words in said(answer)
        assert f'value="{vacancies}"' in card(said(answer), house.first)
    assert not Confirmation.objects.exists()
    assert confirm(head, house.first, form_of(page, house.first, vacancies="5", **change)).status_code == 302
    house.first.refresh_from_db()
    assert (house.first.places, house.first.vacancies) == (60, 5)


def test_a_slip_is_taken_back_within_a_minute_and_not_later(house: House) -> None:
    head = staff("jigou")
    before = Facility.objects.values("places", "vacancies", "vacancies_as_of", "hours_as_of").get(pk=house.first.pk)
    page = said(head.get("/my/places"))
    confirm(head, house.first, form_of(page, house.first, change="1", vacancies="9", places="60"))
    row = Confirmation.objects.get()
    assert str(row.mark) in card(said(head.get("/my/places")), house.first)
    for _ in range(2):  # pressed twice
        assert head.post("/my/places/undo", {"mark": row.mark}).status_code == 302
    assert Facility.objects.values(*before).get(pk=house.first.pk) == before
    assert not CapacityReport.objects.filter(facility=house.first, vacancies=9).exists()
    row.refresh_from_db()
    assert row.undone_at is not None
    page = said(head.get("/my/places"))
    confirm(head, house.first, form_of(page, house.first))
    newest = Confirmation.objects.first()
    assert newest is not None
    Confirmation.objects.filter(pk=newest.pk).update(confirmed_at=timezone.now() - dt.timedelta(seconds=61))
    late = head.post("/my/places/undo", {"mark": newest.mark})
    assert late.status_code == 409
    assert "已经过了一分钟" in said(late)
    assert str(newest.mark) not in said(head.get("/my/places"))


def test_a_double_click_is_one_confirmation_and_a_stale_page_is_told(house: House) -> None:
    head, colleague = staff("jigou"), staff("jigou")
    page = said(head.get("/my/places"))
    fields, stale = form_of(page, house.first), form_of(said(colleague.get("/my/places")), house.first)
    for _ in range(2):
        assert confirm(head, house.first, fields).status_code == 302
    assert CapacityReport.objects.filter(facility=house.first, actor="jigou").count() == 1
    answer = confirm(colleague, house.first, stale | {"change": "1", "vacancies": "7", "places": "60"})
    assert answer.status_code == 409
    assert "刚才有人改过或确认过" in said(answer)
    assert 'value="7"' in card(said(answer), house.first)
    house.first.refresh_from_db()
    assert house.first.vacancies == 3
    assert confirm(head, house.second, fields).status_code == 409


def test_only_who_runs_a_place_confirms_it(house: House) -> None:
    fields = form_of(said(staff("jigou").get("/my/places")), house.first)
    assert device().get("/my/places").status_code == 302
    assert staff("jumin").get("/my/places").status_code == 403
    assert confirm(staff("jumin"), house.first, fields).status_code == 403
    house.first.organisation = None
    house.first.save()
    answer = confirm(staff("jigou"), house.first, fields)
    assert answer.status_code == 404
    assert "不在您的账号名下" in said(answer)
    assert not Confirmation.objects.exists()
