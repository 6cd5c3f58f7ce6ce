"""Applications and changes through their pages: the street reviews, the district approves, the ledger and the map follow."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from services.access.models import Organisation, User
from services.crypto.queries import reveal_secrets
from services.facilities.models import Facility
from services.kernel.forms.models import Submission
from services.kernel.workflow.models import Case
from services.modules.advisers.models import Adviser
from tests.services.modules.advisers.conftest import STREET, World, client_of, code_of, person


def today() -> str:
    return dt.date.today().isoformat()


def text(answer: Any) -> str:
    return str(answer.content.decode())


def begin(user: User, matter: str, **more: str) -> str:
    form = {"region": code_of(STREET), "key": str(uuid4())} | more
    return str(client_of(user).post(f"/my/cases/new/{matter}", form)["Location"])


def apply(user: User, matter: str, answers: dict[str, Any], **more: str) -> Case:
    """Apply for a matter as its pages do: where, the form, the preview, the click."""
    page, at = client_of(user), begin(user, matter, **more)
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    page.post(at, answers | {"seen": row.version, "act": "preview"})
    row.refresh_from_db()
    done = page.post(f"{at}/preview", {"seen": row.version}, follow=True)
    assert "已提交，办件编号" in text(done), row.answers
    return Case.objects.get(submission=row.pk)


def decide(user: User, case: Case, outcome: str = "approve") -> Any:
    case.refresh_from_db()
    typed = {"key": str(uuid4()), "version": str(case.version), "outcome": outcome, "opinion": "核对过"}
    answer = client_of(user).post(f"/desk/cases/{case.uid}/decide", typed, follow=True)
    case.refresh_from_db()
    return answer


def approve(world: World, case: Case) -> Any:
    """Let the street review and the district approve, each only its own step."""
    assert "街镇审核" in text(client_of(world.clerk).get(f"/desk/cases/{case.uid}"))
    decide(world.district, case)
    assert (case.state, case.step_names) == ("open", "街镇审核"), "the district cannot do the street's part"
    decide(world.clerk, case)
    assert (case.state, case.step_names) == ("open", "区级审批")
    decide(world.clerk, case)
    assert case.state == "open", "nor the street the district's"
    return decide(world.district, case)


def institution(world: World, *, runs: Facility | None = None) -> User:
    own = Organisation.objects.create(name="乐龄服务社", region_id=world.site.region_id)
    if runs is not None:
        Facility.objects.filter(pk=runs.pk).update(organisation=own)
    return person("jigou-sun", "institution_head", organisation=own)


def door(world: World) -> str:
    """Return a written address of the street at which another facility stands."""
    found = Facility.objects.filter(region=world.site.region_id, retired_at=None).exclude(pk=world.site.pk)
    return str(found.exclude(address_text="").order_by("pk")[0].address_text)


def site_answers(world: World, **more: Any) -> dict[str, Any]:
    return {
        "adviser_site_name": "金陵东路养老顾问点", "adviser_site_address": door(world), "adviser_site_phone": "021-63210000",
        "adviser_level": "committee", "adviser_topics": ["policy", "meals"], "adviser_opened_on": today(),
    } | more  # fmt: skip


@pytest.mark.covers("ELD-ORG-06", via="services.modules.advisers.actions:enter_site")
def test_a_point_is_applied_for_reviewed_and_approved(world: World) -> None:
    head = institution(world)
    own = Organisation.objects.get(name="乐龄服务社")
    world.threshold(1)
    case = apply(head, "adviser_site_new", site_answers(world), organisation=str(own.pk))
    assert case.title == "金陵东路养老顾问点"
    assert not Facility.objects.filter(name=case.title).exists()
    assert text(client_of(world.other).get("/desk/cases")).count(case.title) == 0
    approve(world, case)
    assert case.state == "approved"
    site = Facility.objects.get(name=case.title)
    assert (site.kind_id, site.organisation, site.status) == ("adviser_site", own, "open")
    assert site.attributes == {"adviser_level": "committee", "advises_on": "养老政策、助餐", "opened_on": today()}
    assert site.point_source == "address"
    assert case.title in text(client_of(world.clerk).get("/desk/ledgers/adviser-sites"))
    assert case.title in text(client_of(head).get("/desk/ledgers/adviser-sites"))
    near = site.geom.x - 0.001, site.geom.y - 0.001, site.geom.x + 0.001, site.geom.y + 0.001
    pins = (
        client_of(world.district).get("/desk/ledgers/adviser-sites/pins.json?bbox=" + ",".join(map(str, near))).json()
    )
    assert case.title in {pin["properties"]["name"] for pin in pins["features"]}
    assert site.staffing_alerts.get().state == "open", "it has nobody yet"
    assert "通过" in text(client_of(head).get(f"/my/cases/{case.uid}"))


def test_what_is_refused_changes_nothing(world: World) -> None:
    before = list(Facility.objects.filter(kind="adviser_site").values_list("pk", "name", "updated_at"))
    case = apply(world_applicant(), "adviser_site_new", site_answers(world))
    decide(world.clerk, case, "refuse")
    assert case.state == "refused"
    change = apply(world_applicant(), "adviser_site_change",
                   {"adviser_site": str(world.site.pk), "adviser_why": "改名", "adviser_site_name": "新名字"})  # fmt: skip
    decide(world.clerk, change)
    decide(world.district, change, "refuse")
    assert change.state == "refused"
    assert list(Facility.objects.filter(kind="adviser_site").values_list("pk", "name", "updated_at")) == before


def world_applicant() -> User:
    return person("shenqing-he")


@pytest.mark.covers("ELD-ORG-07", via="services.modules.advisers.actions:change_site")
def test_a_point_is_changed_by_application_and_only_in_what_was_asked(world: World) -> None:
    head = institution(world, runs=world.site)
    at = begin(head, "adviser_site_change")
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    assert row.answers["adviser_site"] == world.site.pk, "the form begins with what is known of its only point"
    assert row.answers["adviser_site_name"] == world.site.name
    address, before = door(world), world.site
    case = apply(head, "adviser_site_change", {
        "adviser_site": str(before.pk), "adviser_why": "搬迁", "adviser_site_address": address, "adviser_site_name": before.name,
        "adviser_site_phone": "021-63219999",
    })  # fmt: skip
    approve(world, case)
    assert case.state == "approved"
    after = Facility.objects.get(pk=before.pk)
    assert (after.name, after.phone, after.attributes, after.status) == (
        before.name,
        "021-63219999",
        before.attributes,
        "open",
    )
    assert after.address_text != before.address_text
    assert after.geom.distance(before.geom) > 0, "it moved on the map"
    history = text(client_of(world.clerk).get(f"/desk/ledgers/adviser-sites/{after.pk}"))
    assert "021-63219999" in history
    assert "<strong>qu-li</strong>" in history
    closing = apply(
        head, "adviser_site_change", {"adviser_site": str(before.pk), "adviser_why": "合并", "adviser_status": "closed"}
    )
    approve(world, closing)
    assert Facility.objects.get(pk=before.pk).status == "closed"


def test_of_two_changes_at_once_the_later_is_told(world: World) -> None:
    answers = {"adviser_site": str(world.site.pk), "adviser_why": "改名"}
    first = apply(world_applicant(), "adviser_site_change", answers | {"adviser_site_name": "外滩新顾问点"})
    second = apply(world_applicant(), "adviser_site_change", answers | {"adviser_site_name": "外滩老顾问点"})
    approve(world, first)
    told = approve(world, second)
    assert second.state == "open"
    assert "在这份申请提交以后已经变更过" in text(told)
    world.site.refresh_from_db()
    assert world.site.name == "外滩新顾问点"


def person_answers(world: World, **more: Any) -> dict[str, Any]:
    return {
        "adviser_name": "周明", "adviser_identity": "310101199001010012", "adviser_phone": "13812345678",
        "adviser_certificate": "SH-GW-7001", "adviser_certified_on": "2025-03-01", "adviser_site": str(world.site.pk),
        "adviser_engaged": "full", "adviser_from": today(),
    } | more  # fmt: skip


@pytest.mark.covers("ELD-ORG-08", via="services.modules.advisers.actions:enter_adviser")
def test_an_adviser_is_applied_for_reviewed_and_approved(world: World) -> None:
    world.threshold(1)
    case = apply(world_applicant(), "adviser_new", person_answers(world))
    again = apply(world_applicant(), "adviser_new", person_answers(world, adviser_name="王芳"))
    assert not Adviser.objects.exists()
    approve(world, case)
    assert case.state == "approved"
    adviser = Adviser.objects.get()
    assert (adviser.name, adviser.site, adviser.post, adviser.engaged) == ("周明", world.site, "in_post", "full")
    assert (adviser.phone, adviser.identity[:2], adviser.case_number) == ("138****5678", "31", case.number)
    assert "310101199001010012" not in str(Adviser.objects.values())
    assert reveal_secrets(owner=adviser.uid) == {"phone": "13812345678", "identity": "310101199001010012"}
    assert "周明" in text(client_of(world.clerk).get("/desk/ledgers/advisers"))
    # the same certificate cannot be entered twice: of two handed in at once, whoever approves the second is told
    assert "已有顾问员用这个证书编号" in text(approve(world, again))
    assert (again.state, Adviser.objects.count()) == ("open", 1)


@pytest.mark.covers("ELD-ORG-09", via="services.modules.advisers.actions:change_adviser")
def test_an_adviser_moves_goes_away_and_leaves_by_application(world: World) -> None:
    approve(world, apply(world_applicant(), "adviser_new", person_answers(world)))
    world.threshold(1)
    adviser = Adviser.objects.get()
    wanted = {"adviser_certificate": adviser.certificate, "adviser_why": "个人原因"}
    case = apply(world_applicant(), "adviser_change", wanted | {"adviser_post": "away", "adviser_phone": "13987654321"})
    assert Adviser.objects.get().post == "in_post", "nothing changes before it is approved"
    approve(world, case)
    adviser.refresh_from_db()
    assert (adviser.post, adviser.phone, adviser.engaged) == ("away", "139****4321", "full")
    assert reveal_secrets(owner=adviser.uid)["identity"] == "310101199001010012"
    assert world.alerts() == [("open", 0, 1)], "the point is short of somebody now"
    approve(world, apply(world_applicant(), "adviser_change", wanted | {"adviser_post": "in_post"}))
    assert world.alerts() == [("cleared", 1, 1)]
    # to another point of the street, and the history tells it
    other = Facility.objects.filter(region=world.site.region_id, retired_at=None).exclude(pk=world.site.pk)[0]
    Facility.objects.filter(pk=other.pk).update(kind="adviser_site", name="金陵东路养老顾问点", status="open")
    approve(world, apply(world_applicant(), "adviser_change", wanted | {"adviser_site": str(other.pk)}))
    adviser.refresh_from_db()
    assert adviser.site_id == other.pk
    assert [state for state, *_ in world.alerts()] == ["cleared", "open"]
    history = text(client_of(world.clerk).get(f"/desk/ledgers/advisers/{adviser.pk}"))
    assert f"<del>{world.site.name}</del>" in history
    approve(world, apply(world_applicant(), "adviser_change", wanted | {"adviser_post": "left"}))
    adviser.refresh_from_db()
    assert (adviser.post, adviser.to_day) == ("left", dt.date.today())
    # one that is of another street, or nobody's, is told to who approves
    odd = apply(world_applicant(), "adviser_change", wanted | {"adviser_post": "away"})
    Adviser.objects.filter(pk=adviser.pk).update(certificate="SH-GW-0000")
    assert "本街镇没有用这个证书编号登记的顾问员" in text(approve(world, odd))


def test_what_does_not_fit_is_said_at_its_item_before_it_is_handed_in(world: World) -> None:
    adviser = world.adviser("周明")
    user = person("jumin-qian")
    page, at = client_of(user), begin(user, "adviser_change")
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    typed = {"adviser_certificate": "SH-GW-9999", "adviser_why": "调到别的街道", "adviser_post": "away"}
    told = text(page.post(at, typed | {"seen": row.version, "act": "preview"}, follow=True))
    if "本街镇没有用这个证书编号登记的顾问员" not in told:
        row.refresh_from_db()
        told = text(page.post(f"{at}/preview", {"seen": row.version}, follow=True))
    assert "本街镇没有用这个证书编号登记的顾问员" in told
    assert "调到别的街道" in told, "nothing that was typed is lost"
    row.refresh_from_db()
    assert row.state == "draft"
    assert Case.objects.count() == 0
    case = apply(user, "adviser_change", typed | {"adviser_certificate": adviser.certificate})
    assert case.state == "open"
    again = begin(user, "adviser_new")
    assert again


def test_a_change_begins_from_the_row_of_the_ledger(world: World) -> None:
    """An institution with two advisers opens one of them: the form knows which, and where."""
    head = institution(world, runs=world.site)
    world.adviser("钱一")
    other = world.adviser("孙二", engaged="part")
    page = client_of(head)
    shown = text(page.get(f"/desk/ledgers/advisers/{other.pk}"))
    start = f"/my/cases/new/adviser_change?from=advisers.{other.pk}"
    assert f'href="{start}"' in shown
    assert "申请变更" in shown
    asked = text(page.get(start))
    assert "关于养老顾问员台账里的“孙二”" in asked
    assert f'<option value="{code_of(STREET)}" selected>' in asked, "its street is chosen already"
    at = begin(head, "adviser_change", **{"from": f"advisers.{other.pk}"})
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    assert row.answers["adviser_certificate"] == other.certificate
    assert (row.answers["adviser_site"], row.answers["adviser_engaged"]) == (world.site.pk, "part")
    assert "来自养老顾问员台账" in text(page.get(at))
    case = apply(head, "adviser_change", {"adviser_certificate": other.certificate, "adviser_why": "调整", "adviser_engaged": "full"},
                 **{"from": f"advisers.{other.pk}"})  # fmt: skip
    approve(world, case)
    other.refresh_from_db()
    assert other.engaged == "full"


def test_a_row_of_others_begins_no_form(world: World) -> None:
    adviser = world.adviser()
    stranger = person("jigou-wu", "institution_head", organisation=Organisation.objects.create(name="别家"))
    page = client_of(stranger)
    for reference in (
        f"advisers.{adviser.pk}",
        "advisers.999999999",
        "advisers.",
        "facilities.1",
        "nothing.1",
        "advisers.１",
    ):
        for answer in (page.get(f"/my/cases/new/adviser_change?from={reference}"),
                       page.post("/my/cases/new/adviser_change", {"from": reference, "region": code_of(STREET), "key": str(uuid4())})):  # fmt: skip
            assert answer.status_code in (403, 404), reference
    assert not Submission.objects.filter(made_by="jigou-wu").exists()


def test_a_record_is_corrected_from_its_row(world: World) -> None:
    adviser = world.adviser()
    head = institution(world, runs=world.site)
    page = client_of(head)
    shown = text(page.get(f"/desk/ledgers/advisers/{adviser.pk}"))
    start = f"/forms/adviser-record?from=advisers.{adviser.pk}"
    assert (f'href="{start}"' in shown) == ("填工作记录" in shown)
    window = text(client_of(world.clerk).get(f"/desk/ledgers/advisers/{adviser.pk}"))
    assert f"/my/cases/new/adviser_change?at=window&amp;from=advisers.{adviser.pk}" in window
