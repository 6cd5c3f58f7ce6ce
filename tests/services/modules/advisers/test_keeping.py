"""Points, advisers and their records at the desk: looked up, filtered, exported, corrected, each within its scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import Forbidden
from services.access.models import AuditEntry, Organisation
from services.crypto.actions import keep_secrets
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.kernel.forms.actions import begin_submission, save_draft, submit
from services.kernel.forms.answering import Fault
from services.kernel.forms.models import Submission
from services.kernel.rules.models import RuleVersion
from services.kernel.rules.queries import sheet_kept
from services.modules.advisers.models import WorkRecord
from services.modules.advisers.staffing import judge_site
from tests.services.modules.advisers.conftest import DISTRICT, World, client_of, code_of, person, scope
from tests.services.modules.advisers.test_matters import apply, approve


def shown(user: Any, path: str) -> str:
    answer = client_of(user).get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def taken(user: Any, path: str) -> str:
    """Return a file that somebody takes from a ledger."""
    return b"".join(client_of(user).get(path).streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]


@pytest.mark.covers("ELD-BIZ-22", via="services.kernel.ledger.queries:page_of")
def test_staff_keep_and_see_the_points(world: World) -> None:
    at = "/desk/ledgers/adviser-sites"
    site = world.site
    assert site.name in shown(world.clerk, at)
    assert site.name in shown(world.clerk, f"{at}?f.attributes__adviser_level=street&f.status=open")
    assert site.name not in shown(world.clerk, f"{at}?f.attributes__adviser_level=city")
    one = shown(world.clerk, f"{at}/{site.pk}")
    assert site.attributes["advises_on"] in one
    assert 'id="record-shape"' in one, "drawn where it stands"
    assert f"{site.geom.x:.3f}"[:7] in one
    pins = client_of(world.clerk).get(f"{at}/pins.json?bbox=120,30,123,33").json()["features"]
    assert [pin["properties"]["pk"] for pin in pins] == [site.pk], "its street's own, not the neighbour's"
    # they work on it: what it says, and whether it is open; who did what stays to be read
    update_facility(facility_id=site.pk, changes={"phone": "021-66668888"}, scope=scope(world.clerk))
    kept = client_of(world.clerk).post(
        f"/desk/facilities/{site.pk}/status",
        {"status": "suspended", "reason": "装修", "effective_on": timezone.localdate().isoformat()},
    )
    assert kept.status_code == 302
    one = shown(world.clerk, f"{at}/{site.pk}")
    assert "021-66668888" in one
    assert "暂停服务" in one
    assert one.count("<strong>jz-wang</strong>") == 2
    assert site.name in taken(world.district, f"{at}/export?format=csv")
    assert site.name not in shown(world.other, at)
    assert client_of(world.other).get(f"{at}/{site.pk}").status_code == 404


@pytest.mark.covers("ELD-BIZ-23", via="services.kernel.ledger.actions:reveal_value")
def test_staff_keep_and_see_the_advisers(world: World) -> None:
    adviser = world.adviser("周明", phone="138****5678", identity="31**************34")
    keep_secrets(owner=adviser.uid, values={"phone": "13812345678", "identity": "310101199001010034"})
    world.adviser("陈静", post="left", engaged="part", to_day=dt.date(2026, 6, 30))
    at = "/desk/ledgers/advisers"
    page = shown(world.clerk, at)
    assert "周明" in page
    assert "138****5678" in page
    assert world.site.name in page
    assert "陈静" not in shown(world.clerk, f"{at}?f.post=in_post")
    assert "周明" not in shown(world.clerk, f"{at}?f.engaged=part")
    assert "周明" in shown(world.clerk, f"{at}?q={adviser.certificate}")
    one = f"{at}/{adviser.pk}"
    assert 'id="record-shape"' in shown(world.clerk, one), "drawn where its point stands"
    # the whole number is for those who may, one by one, and is written down
    assert "13812345678" not in shown(world.district, one) + taken(world.district, f"{at}/export?format=csv")
    assert client_of(world.clerk).post(one, {"key": "phone"}).status_code == 403
    before = AuditEntry.objects.filter(act="answer_revealed").count()
    revealed = client_of(world.district).post(one, {"key": "phone"}).content.decode()
    assert "13812345678" in revealed
    assert "310101199001010034" not in revealed
    entry = AuditEntry.objects.filter(act="answer_revealed").order_by("-pk")[0]
    assert AuditEntry.objects.filter(act="answer_revealed").count() == before + 1
    assert (entry.actor, entry.detail) == ("qu-li", {"ledger": "advisers", "row": adviser.pk, "field": "phone"})
    assert client_of(world.district).post(one, {"key": "name"}).status_code == 404
    assert client_of(world.other).post(one, {"key": "phone"}).status_code == 404
    # they work on it: at the window a clerk enters that somebody is away, and it is approved
    case = apply(
        world.clerk, "adviser_change",
        {"adviser_certificate": adviser.certificate, "adviser_why": "病假", "adviser_post": "away"}, at="window",
    )  # fmt: skip
    approve(world, case)
    assert "周明" in shown(world.clerk, f"{at}?f.post=away")
    assert "周明" not in shown(world.other, at)
    # an institution sees the advisers of its own points
    own = Organisation.objects.create(name="乐龄服务社")
    head = person("jigou-sun", "institution_head", organisation=own)
    assert "周明" not in shown(head, at)
    Facility.objects.filter(pk=world.site.pk).update(organisation=own)
    assert "周明" in shown(head, at)


def write(world: World, user: Any, **answers: Any) -> Submission:
    """Hand in a record of work as somebody, from the form to the click."""
    row = begin_submission(
        form="adviser-record", entry="all", region=code_of(DISTRICT), scope=scope(user), account=user
    )
    given = {
        "adviser_site": str(world.site.pk), "adviser_certificate": "SH-GW-0001", "record_on": "2026-03-02", "record_way": "home",
        "record_topic": "insurance", "record_age": "80s", "record_minutes": "35", "record_summary": "长护险怎么申请，电话13812345678",
        "record_result": "applied",
    }  # fmt: skip
    given |= answers
    row = save_draft(submission_id=row.pk, answers=given, seen=row.version, scope=scope(user)).row
    done = submit(submission_id=row.pk, answers=given, seen=row.version, scope=scope(user))
    if done.checked.faults:
        raise Refused(done.row, done.checked.faults)
    return done.row


class Refused(Exception):
    """A record was not handed in: what was said at which item, and the draft that keeps what was typed."""

    def __init__(self, row: Submission, faults: Sequence[Fault]) -> None:
        super().__init__("；".join(f"{fault.field}：{fault.sentence}" for fault in faults))
        assert row.state == "draft"
        assert row.answers["record_minutes"] == 35


@pytest.mark.covers("ELD-BIZ-24", via="services.modules.advisers.actions:write_record")
def test_records_are_written_filtered_and_exported(world: World) -> None:
    own = Organisation.objects.create(name="乐龄服务社")
    Facility.objects.filter(pk=world.site.pk).update(organisation=own)
    head = person("jigou-sun", "institution_head", organisation=own)
    world.adviser("周明")
    world.adviser("陈静")
    first = write(world, head)
    second = write(world, world.clerk, adviser_certificate="SH-GW-0002", record_topic="meals", record_on="2026-05-20",
                   record_minutes="10", record_way="phone")  # fmt: skip
    at = "/desk/ledgers/adviser-records"
    for user in (head, world.clerk, world.district, world.city):
        assert {first.number, second.number} <= set(
            taken(user, f"{at}/export?format=csv").replace("\n", ",").split(",")
        )
    found = shown(world.district, f"{at}?f.topic=insurance&f.on.from=2026-03-01&f.on.to=2026-03-31&f.adviser__name=周")
    assert str(first.number) in found
    assert str(second.number) not in found
    few = "f.minutes.to=20&f.way=phone"
    assert str(second.number) in shown(world.district, f"{at}?{few}")
    assert str(first.number) not in taken(world.district, f"{at}/export?format=csv&{few}")
    assert str(first.number) not in shown(world.other, at)
    # nothing of a person stays in plain in what was typed
    record = WorkRecord.objects.get(number=first.number)
    assert "13812345678" not in record.summary
    assert (record.adviser.name, record.minutes, record.region_id) == ("周明", 35, world.site.region_id)


def test_a_wrong_record_is_replaced_or_cancelled_never_changed(world: World) -> None:
    world.adviser("周明")
    first = write(world, world.clerk)
    second = write(world, world.clerk, record_number=first.number, record_why="时间写错了", record_minutes="50")
    old, new = WorkRecord.objects.get(number=first.number), WorkRecord.objects.get(number=second.number)
    assert (old.state, old.minutes, old.why) == ("corrected", 35, "时间写错了（jz-wang）")
    assert (new.state, new.minutes, new.instead_of) == ("valid", 50, old)
    with pytest.raises(Refused, match="^record_number：.*已更正"):
        write(world, world.clerk, record_number=first.number, record_why="再改一次")
    write(world, world.clerk, record_number=second.number, record_why="记重了", record_cancels="1")
    new.refresh_from_db()
    assert (new.state, WorkRecord.objects.count()) == ("cancelled", 2)
    with pytest.raises(Refused, match="^record_number：没有找到"):
        write(world, world.clerk, record_number="GZ-nobody", record_why="核对")


def test_records_are_for_those_who_advise_and_of_who_was_there(world: World) -> None:
    world.adviser("周明", to_day=dt.date(2026, 4, 30))
    with pytest.raises(Forbidden):
        write(world, person("jumin-zhang"))
    with pytest.raises(Refused, match="^adviser_certificate：那天"):
        write(world, world.clerk, record_on="2026-05-01")
    with pytest.raises(Refused, match="^adviser_certificate：那天"):
        write(world, world.clerk, adviser_certificate="SH-GW-9999")
    with pytest.raises(Refused, match="^adviser_site：.*不在您的范围"):
        write(world, world.other)
    assert WorkRecord.objects.count() == 0
    assert "养老顾问工作记录" not in client_of(person("jumin-zhang")).get("/forms").content.decode()
    assert client_of(person("jumin-zhang")).get("/forms/adviser-record").status_code == 403
    assert "养老顾问工作记录" in client_of(world.clerk).get("/desk/modules/advisers").content.decode()


@pytest.mark.covers("ELD-BIZ-25", via="services.modules.advisers.staffing:judge_site")
def test_staff_set_a_threshold_are_warned_look_it_up_and_see_it_clear_itself(world: World) -> None:
    first, second = world.adviser("周明"), world.adviser("陈静")
    qu = client_of(world.district)
    # the threshold is written on the page of rules
    page = qu.post("/desk/rules/advisers.staffing/draft", {"region": code_of(DISTRICT)})["Location"]
    draft = RuleVersion.objects.get(rule_set="advisers.staffing")
    qu.post(page, {"seen": "1", "act": "row-add:0"})
    draft.refresh_from_db()
    line = {f"t{n}": text for n, text in enumerate(("街镇", "-", world.street, "-"))} | {"note": "", "g0": "2"}
    line |= {"line": sheet_kept(draft).lines[0].key, "seen": str(draft.revision)}
    assert qu.post(page, line | {"act": "check"}).status_code == 302
    draft.refresh_from_db()
    publish = {
        "act": "publish",
        "seen": str(draft.revision),
        "from_day": timezone.localdate().isoformat(),
        "reason": "人员要求",
    }
    assert qu.post(page, publish | {"accept": "1"}).status_code == 302
    assert "顾问点人员预警阈值" in qu.get("/desk/rules").content.decode()
    judge_site(site_id=world.site.pk)
    assert world.alerts() == []
    first.post = "left"
    first.save()
    judge_site(site_id=world.site.pk)
    at = "/desk/ledgers/adviser-alerts"
    for user in (world.clerk, world.district):
        assert f"人员不足：{world.site.name}" in shown(user, "/desk/messages")
        page = shown(user, f"{at}?f.state=open")
        assert world.site.name in page
    assert world.site.name not in shown(world.clerk, f"{at}?f.state=cleared")
    assert world.site.name in shown(world.clerk, f"{at}?f.present.to=1&f.opened_at.from={timezone.localdate()}")
    assert world.site.name not in shown(world.other, at)
    second.engaged = "part"
    second.save()
    first.post = "in_post"
    first.save()
    judge_site(site_id=world.site.pk)
    assert world.site.name not in shown(world.clerk, f"{at}?f.state=open")
    assert "人员已恢复" in shown(world.clerk, f"{at}?f.state=cleared")
    assert f"预警解除：{world.site.name}" in shown(world.clerk, "/desk/messages")
