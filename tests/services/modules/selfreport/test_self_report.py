"""Self-report by link: sent, opened on a telephone without an account, kept as a draft, previewed, handed in, reviewed in bulk."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from geo.imports.models import Correction
from geo.regions.models import RegionVersion
from services.crypto.models import Secret
from services.facilities.models import CapacityReport, Facility
from services.kernel.documents.models import Attachment
from services.modules.selfreport.models import ReportState, SelfReport
from services.modules.selfreport.sending import forget_old_numbers
from services.modules.selfreport.sheet import items_of
from tests.services.kernel.documents.files import picture
from tests.services.modules.selfreport.conftest import PHONE, House, device, hidden, said, sent_texts, staff

OTHER_PHONE = "13787654321"


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(client: Any, **fields: Any) -> str:
    """Send links by the desk's page, and return what it answers."""
    return said(client.post("/desk/self-reports/send", {"days": "14"} | fields))


def link_in(text: str) -> str:
    found = re.search(r"http://localhost(/fill/[\w-]+)", text)
    assert found, text
    return found[1]


def opened(link: str, digits: str = PHONE[-4:]) -> Any:
    client = device()
    answer = client.post(f"{link}/open", {"digits": digits})
    assert answer.status_code == 302, said(answer)
    return client


def form(client: Any, link: str) -> dict[str, str]:
    """Return the fields of the form as the page shows them."""
    page = said(client.get(link))
    fields = {"version": hidden(page, "version")}
    report = SelfReport.objects.get(uid=SelfReport.objects.order_by("-pk").values_list("uid", flat=True)[0])
    for item in items_of(report.kind):
        at = re.escape(item.key)
        chosen = re.search(rf'name="{at}"[^>]*>.*?</select>', page, re.DOTALL) if item.choices else None
        if chosen:
            picked = re.search(r'value="([^"]*)" selected', chosen[0])
            fields[item.key] = picked[1] if picked else ""
        else:
            found = re.search(rf'name="{at}" value="([^"]*)"', page)
            assert found, item.key
            fields[item.key] = found[1]
    return fields


def street_of(place: Facility) -> str:
    path = RegionVersion.objects.get(edition__state="published", region=place.region_id).path
    return path.split(".")[2]


@pytest.mark.covers("PRE-MGT-05b", via="services.modules.selfreport.reviewing:review_many")
def test_managers_send_links_institutions_fill_in_and_what_is_handed_in_is_reviewed_in_bulk(house: House) -> None:
    # The city and the district send a link each; both come as short messages to the telephones of the heads.
    assert "发出 1 条" in send(staff("shi"), id=house.first.pk, **{f"phone-{house.first.pk}": PHONE})
    assert "发出 1 条" in send(staff("qu"), id=house.second.pk, **{f"phone-{house.second.pk}": OTHER_PHONE})
    (first,), (second,) = sent_texts(PHONE), sent_texts(OTHER_PHONE)
    assert house.first.name in first
    # It opens without an account, holds what is known, and keeps a draft.
    links = [link_in(first), link_in(second)]
    phones = [opened(links[0]), opened(links[1], OTHER_PHONE[-4:])]
    for client, link, phone, place in zip(
        phones, links, ("021-63210001", "021-63210002"), (house.first, house.second), strict=True
    ):
        fields = form(client, link)
        assert fields["name"] == place.name
        saved = client.post(f"{link}/save", fields | {"phone": phone, "vacancies": "2", "act": "draft"}, follow=True)
        assert "已保存" in said(saved)
        assert f'value="{phone}"' in said(saved)
        # The preview is the public page as it would be; nothing is public yet.
        shown = said(client.get(f"{link}/preview"))
        assert "现在还没有公布" in shown
        assert phone in shown
        assert phone not in said(device().get(f"/places/{place.pk}"))
        client.post(f"{link}/submit", {"version": hidden(shown, "version")})
        assert "待审核" in said(client.get(link))
    # The list of what was handed in is reviewed in one act.
    clerk = staff("qu")
    ids = {"id": list(SelfReport.objects.order_by("pk").values_list("pk", flat=True))}
    listed = said(clerk.get("/desk/ledgers/self-reports?f.state=submitted"))
    assert 'formaction="/desk/self-reports/review"' in listed
    assert house.first.name in listed
    assert house.second.name in listed
    page = said(clerk.get("/desk/self-reports/review", ids))
    assert "<ins>021-63210001</ins>" in page
    seen = {f"seen-{pk}": hidden(page, f"seen-{pk}") for pk in ids["id"]}
    done = said(clerk.post("/desk/self-reports/review", ids | seen | {"decision": "approve"}))
    assert "2 份里办好 2 份" in done
    for phone, place in (("021-63210001", house.first), ("021-63210002", house.second)):
        assert phone in said(device().get(f"/places/{place.pk}"))
        place.refresh_from_db()
        assert (place.vacancies, place.vacancies_source) == (2, "institution")
        assert Correction.objects.filter(
            source=place.source, ext_id=place.ext_id, field="phone", cleared_at=None
        ).exists()
    assert "已通过审核" in sent_texts(PHONE)[-1]
    assert not Secret.objects.filter(owner__in=SelfReport.objects.values("uid")).exists()


def one_link(house: House, **fields: Any) -> str:
    assert "发出 1 条" in send(staff("qu"), **{f"phone-{house.first.pk}": PHONE}, **fields)
    return link_in(sent_texts(PHONE)[-1])


def test_a_link_opens_to_its_telephone_only_and_is_locked_when_guessed_at(house: House) -> None:
    link = one_link(house)
    page = said(device().get(link))
    assert "手机号后四位" in page
    assert PHONE[-4:] not in page
    assert PHONE not in str(SelfReport.objects.values().get())
    for made_up in (
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        "/fill/abc",
        f"/fill/{'A' * 38}",
        f"/fill/{'号' * 38}",
    ):
        answer = device().get(made_up)
        assert answer.status_code == 404, made_up
        assert "链接不完整" in said(answer)
    client = device()
    assert client.get(f"{link}/preview").status_code == 404
    assert client.post(f"{link}/save", {"version": "1", "name": "占位"}).status_code == 404
    wrong = client.post(f"{link}/open", {"digits": "0000"})
    assert wrong.status_code in {400, 422}
    assert "还可以试 7 次" in said(wrong)
    assert opened(link).get(link).status_code == 200
    for _ in range(8):
        client.post(f"{link}/open", {"digits": "0000"})
    locked = client.post(f"{link}/open", {"digits": PHONE[-4:]})
    assert locked.status_code == 429
    assert "已经锁住" in said(locked)
    report = SelfReport.objects.get()
    staff("qu").post(f"/desk/self-reports/{report.pk}/resend", {"seen": report.issue})
    assert opened(link_in(sent_texts(PHONE)[-1]))


def test_an_expired_a_replaced_and_a_revoked_link_say_what_to_do(house: House) -> None:
    link = one_link(house)
    client = opened(link)
    fields = form(client, link)
    SelfReport.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    for answer in (client.get(link), device().get(link), device().post(f"{link}/open", {"digits": PHONE[-4:]})):
        assert answer.status_code == 409
        assert "已经过期，填过的内容还在" in said(answer)
    late = client.post(f"{link}/save", fields | {"phone": "021-1", "act": "draft"})
    assert late.status_code == 409
    report, clerk = SelfReport.objects.get(), staff("qu")
    for _ in range(2):  # pressed twice: one message
        clerk.post(f"/desk/self-reports/{report.pk}/resend", {"seen": "1"})
    assert len(sent_texts(PHONE)) == 2
    old = device().get(link)
    assert old.status_code == 409
    assert "这是以前的链接" in said(old)
    newest = link_in(sent_texts(PHONE)[-1])
    assert opened(newest).get(newest).status_code == 200
    clerk.post(f"/desk/self-reports/{report.pk}/revoke")
    gone = device().get(newest)
    assert gone.status_code == 409
    assert "已经撤销" in said(gone)
    assert not Secret.objects.filter(owner=report.uid).exists()
    assert "发出 1 条" in send(clerk, **{f"phone-{house.first.pk}": PHONE})


def test_a_second_device_goes_on_and_two_who_edit_lose_nothing(house: House) -> None:
    link = one_link(house)
    phone, desk = opened(link), opened(link)
    mine, theirs = form(phone, link), form(desk, link)
    typed = mine | {"phone": "021-63210001", "act": "draft"}
    for _ in range(2):  # sent twice
        assert phone.post(f"{link}/save", typed).status_code == 302
    assert SelfReport.objects.get().answers == {"phone": "021-63210001"}
    clash = desk.post(f"{link}/save", theirs | {"phone": "021-63210009", "act": "draft"})
    assert clash.status_code == 409
    page = said(clash)
    assert "在别的设备上改过" in page
    assert "别的设备上填的是：021-63210001" in page
    assert 'value="021-63210009"' in page
    again = theirs | {"phone": "021-63210009", "version": hidden(page, "version"), "act": "draft"}
    assert desk.post(f"{link}/save", again).status_code == 302
    assert form(opened(link), link)["phone"] == "021-63210009"


def test_what_cannot_be_is_said_at_its_item_and_the_draft_keeps_it(house: House) -> None:
    link = one_link(house)
    client = opened(link)
    wrong = {
        "name": ("", "请填写机构名称"), "phone": ("打不通", "电话写成"), "vacancies": ("99", "余位 99 多于托位 60"),
        "attributes.fee_month_yuan": ("很贵", "每月收费要填数字"), "hours.mon": ("早到晚", "周一写成 8:00-17:00"),
    }  # fmt: skip
    fields = form(client, link) | {key: text for key, (text, _) in wrong.items()} | {"act": "preview"}
    answer = client.post(f"{link}/save", fields, follow=True)
    assert answer.status_code in {400, 422}
    for key, (text, words) in wrong.items():
        assert words in said(answer), key
        assert f'name="{key}" value="{text}"' in said(answer)
    version = hidden(said(answer), "version")
    assert client.post(f"{link}/submit", {"version": version}).status_code in {400, 422}
    assert SelfReport.objects.get().state == ReportState.FILLING


def test_photos_are_checked_shown_to_the_link_and_published_on_approval(house: House) -> None:
    link = one_link(house)
    client = opened(link)
    fields = form(client, link)
    bad = client.post(f"{link}/save", fields | {"act": "draft", "photo": SimpleUploadedFile("门面.jpg", b"no picture")})
    assert bad.status_code in {400, 415, 422}
    assert "JPG" in said(bad)
    assert not Attachment.objects.exists()
    good = SimpleUploadedFile("门面.jpg", picture("JPEG"))
    page = said(client.post(f"{link}/save", fields | {"act": "draft", "photo": good}, follow=True))
    photo = Attachment.objects.get(owner_kind="self-reports")
    assert f"{link}/photos/{photo.pk}" in page
    assert device().get(f"{link}/photos/{photo.pk}").status_code == 404
    client.post(f"{link}/save", form(client, link) | {"act": f"remove:{photo.pk}"})
    assert f"{link}/photos/{photo.pk}" not in said(client.get(link))
    other = SimpleUploadedFile("室内.png", picture("PNG"))
    client.post(f"{link}/save", form(client, link) | {"act": "draft", "photo": other})
    submitted(client, link)
    approve(SelfReport.objects.get())
    assert Attachment.objects.get(owner_kind="facilities", purpose="photo").owner_id == str(house.first.pk)


def submitted(client: Any, link: str, **changed: str) -> None:
    client.post(f"{link}/save", form(client, link) | changed | {"act": "preview"})
    shown = client.get(f"{link}/preview")
    assert shown.status_code == 200, re.findall(r'form-error[^>]*>([^<]+)|role="alert"[^>]*>([^<]+)', said(shown))
    for _ in range(2):  # pressed twice
        assert client.post(f"{link}/submit", {"version": hidden(said(shown), "version")}).status_code == 302


def approve(report: SelfReport, **fields: str) -> Any:
    report.refresh_from_db()
    return staff("qu").post(f"/desk/self-reports/{report.pk}/approve", {"seen": report.version} | fields)


def test_what_others_changed_meanwhile_is_seen_before_it_is_overwritten(house: House) -> None:
    link = one_link(house)
    submitted(opened(link), link, phone="021-63210001")
    house.first.refresh_from_db()
    house.first.phone, house.first.address_text = "021-65430000", f"{house.first.address_text}2楼"
    house.first.save()
    report, clerk = SelfReport.objects.get(), staff("qu")
    many = {"id": report.pk, f"seen-{report.pk}": report.version, "decision": "approve"}
    assert "填报期间有人改过：联系电话（现在是“021-65430000”）" in said(clerk.post("/desk/self-reports/review", many))
    assert approve(report).status_code == 409
    assert "现在：021-65430000" in said(clerk.get(f"/desk/self-reports/{report.pk}"))
    assert approve(report, over="1").status_code == 302
    house.first.refresh_from_db()
    assert house.first.phone == "021-63210001"
    assert house.first.address_text.endswith("2楼")  # what the institution did not touch stays as others made it
    for _ in range(2):
        assert approve(report).status_code == 302
    assert CapacityReport.objects.filter(facility=house.first, actor="qu").count() == 1
    assert len(sent_texts(PHONE)) == 2


def test_a_returned_report_opens_anew_by_a_new_message_with_all_that_was_filled_in(house: House) -> None:
    link = one_link(house)
    client = opened(link)
    submitted(client, link, phone="021-63210001")
    report, clerk = SelfReport.objects.get(), staff("qu")
    assert client.get(f"{link}/preview").status_code == 302
    client.post(f"{link}/save", {"version": report.version, "phone": "021-1", "act": "draft"})
    report.refresh_from_db()
    assert report.answers["phone"] == "021-63210001"
    silent = clerk.post(f"/desk/self-reports/{report.pk}/return", {"seen": report.version, "words": " "})
    assert "请写一句要改什么" in said(silent)
    for _ in range(2):
        clerk.post(f"/desk/self-reports/{report.pk}/return", {"seen": report.version, "words": "请补充收托月龄"})
    assert len(sent_texts(PHONE)) == 2
    assert "请补充收托月龄。" in sent_texts(PHONE)[-1]
    assert approve(report).status_code == 409
    newest = link_in(sent_texts(PHONE)[-1])
    page = said((again := opened(newest)).get(newest))
    assert "审核意见" in page
    assert 'value="021-63210001"' in page
    submitted(again, newest, **{"attributes.age_from_months": "6", "attributes.age_to_months": "36"})
    assert approve(report).status_code == 302
    house.first.refresh_from_db()
    assert (house.first.attributes["age_from_months"], house.first.attributes["age_to_months"]) == (6, 36)
    history = said(clerk.get(f"/desk/ledgers/self-reports/{report.pk}"))
    assert "<del>已退回</del> → <ins>待审核</ins>" in history


def test_a_new_place_is_added_where_its_address_is_when_it_is_approved(house: House) -> None:
    street = street_of(house.first)
    new = {"new-name-0": "新芽托育园", "new-phone-0": PHONE, "new-kind-0": "nursery", "new-region-0": street}
    assert "发出 1 条" in send(staff("qu"), **new)
    assert "已经给 138****5678 发过链接" in send(staff("qu"), **new)
    strange = send(staff("yangpu"), **new)
    assert "请选一个您管辖范围内的街镇" in strange
    link = link_in(sent_texts(PHONE)[-1])
    client = opened(link)
    assert form(client, link)["name"] == "新芽托育园"
    week = {f"hours.{day}": "7:30-18:00" for day in ("mon", "tue", "wed", "thu", "fri")}
    submitted(
        client, link, phone="021-63210001", address_text=house.first.address_text, places="30", vacancies="30",
        **{"attributes.meals": "1", "attributes.service_form": "full_day"}, **week,
    )  # fmt: skip
    assert not Facility.objects.filter(name="新芽托育园").exists()
    report = SelfReport.objects.get()
    answer = approve(report)
    if answer.status_code != 302:  # what needs a reason is said, and a reason lets it stand
        assert "请写明理由" in said(answer)
        assert 'name="why"' in said(answer)
        answer = approve(report, why="已和机构电话核实")
    assert answer.status_code == 302, said(answer)
    place = Facility.objects.get(name="新芽托育园")
    assert (place.places, place.vacancies, place.attributes["meals"]) == (30, 30, True)
    assert place.hours["mon"] == [["07:30", "18:00"]]
    assert place.hours["sat"] == []
    page = said(device().get(f"/places/{place.pk}"))
    assert "021-63210001" in page
    report.refresh_from_db()
    assert (report.state, report.facility_id) == (ReportState.APPROVED, place.pk)
    assert "已经公布" in said(client.get(link))


def test_only_managers_of_the_place_send_and_review_and_numbers_are_forgotten(house: House) -> None:
    link = one_link(house)
    report = SelfReport.objects.get()
    for name in ("jiezhen", "jigou"):
        assert staff(name).get("/desk/self-reports/send").status_code == 403
        assert staff(name).get(f"/desk/self-reports/{report.pk}").status_code == 403
    assert "没有找到这家机构" in send(staff("yangpu"), **{f"phone-{house.first.pk}": PHONE})
    assert staff("yangpu").get(f"/desk/self-reports/{report.pk}").status_code == 404
    assert house.first.name not in said(staff("yangpu").get("/desk/ledgers/self-reports"))
    many = {"id": report.pk, f"seen-{report.pk}": report.version, "decision": "approve"}
    assert house.first.name not in said(staff("yangpu").post("/desk/self-reports/review", many))
    assert "11 位数字" in send(staff("qu"), **{f"phone-{house.second.pk}": "110"})
    assert "请至少给一家填上" in send(staff("qu"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM selfreport_selfreport r")
        assert PHONE not in cursor.fetchone()[0]
    assert forget_old_numbers() == 0
    SelfReport.objects.update(expires_at=timezone.now() - dt.timedelta(days=31))
    assert forget_old_numbers() == 1
    refused = said(staff("qu").post(f"/desk/self-reports/{report.pk}/resend", {"seen": "1"}))
    assert "手机号已经删除" in refused
    assert device().get(link).status_code == 409


def test_places_are_found_by_kind_and_street_or_taken_from_the_ledger(house: House) -> None:
    clerk, street = staff("qu"), street_of(house.first)
    page = said(clerk.get("/desk/self-reports/send", {"kind": "nursery", "region": street}))
    assert f'name="phone-{house.first.pk}"' in page
    ledger = said(clerk.get(f"/desk/ledgers/facilities?id={house.second.pk}"))
    assert 'formaction="/desk/self-reports/send"' in ledger
    assert f'name="phone-{house.second.pk}"' in said(clerk.get("/desk/self-reports/send", {"id": house.second.pk}))
    assert 'formaction="/desk/self-reports/send"' not in said(staff("jiezhen").get("/desk/ledgers/facilities"))


def test_an_institution_moves_its_mark_and_the_place_stands_there_once_approved(house: House) -> None:
    link = one_link(house, id=house.first.pk)
    client = opened(link)
    fields = form(client, link)
    here = house.first.geom
    assert fields["position"] == f"{here.x:.6f},{here.y:.6f}"
    moved = f"{here.x:.6f},{here.y + 0.0002:.6f}"
    saved = client.post(f"{link}/save", fields | {"position": "121.0", "act": "preview"}, follow=True)
    assert "标记不在上海市" in said(saved)
    fields["version"] = form(client, link)["version"]
    saved = client.post(f"{link}/save", fields | {"position": "113.3,23.1", "act": "preview"}, follow=True)
    assert "标记不在上海市" in said(saved)
    fields["version"] = form(client, link)["version"]
    fields |= {"position": moved, "phone": "021-63210001", "vacancies": "2"}
    shown = said(client.post(f"{link}/save", fields | {"act": "preview"}, follow=True))
    assert "现在还没有公布" in shown
    client.post(f"{link}/submit", {"version": hidden(shown, "version")})
    house.first.refresh_from_db()
    assert house.first.geom.y == here.y, "nothing moves before it is approved"
    report = SelfReport.objects.get()
    assert "移动了 22 米" in said(staff("qu").get(f"/desk/self-reports/{report.pk}"))
    approve(report, why="标记在大门口")
    house.first.refresh_from_db()
    report.refresh_from_db()
    assert report.state == ReportState.APPROVED
    assert house.first.geom.y == pytest.approx(here.y + 0.0002, abs=2e-6)
    assert house.first.point_source == "survey"
    assert Correction.objects.filter(ext_id=house.first.ext_id, cleared_at=None).exists(), "no import takes it back"
