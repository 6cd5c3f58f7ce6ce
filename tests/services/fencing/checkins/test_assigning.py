"""Visits as centres arrange them: one by one or from a list, whole or not at all, nobody in two places, each once."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from services.fencing.checkins.assigning import COLUMNS, assign_list, assign_visit, cancel_visit, template_csv
from services.fencing.checkins.checking import check_in
from services.fencing.checkins.models import Visit, VisitState
from services.fencing.checkins.queries import home_shown, own_visits, visits_arranged
from services.fencing.checkins.sealing import home_of
from services.integrations.faces.simulator import Simulator
from tests.services.fencing.checkins.visiting import Centre, at_home, make_centre, sent, visit_of, wanted


def line(centre: Centre, hour: str = "09:00", until: str = "10:00", **over: str) -> str:
    day = timezone.localdate() + dt.timedelta(days=1)
    values = {
        "kind": "养老服务补贴上门", "worker": centre.worker.username, "name": "王老伯", "phone": "13900000022",
        "address": centre.address, "day": f"{day:%F}", "begins": hour, "ends": until, "note": "", "external": "",
    } | over  # fmt: skip
    return ",".join(values[name] for name in COLUMNS)


def csv(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\n".join([",".join(COLUMNS.values()), *lines]).encode(encoding)


def test_a_home_is_sealed_and_shown_around_its_time_to_who_goes_there(centre: Centre) -> None:
    begins = timezone.now() + dt.timedelta(hours=20)
    visit = visit_of(centre, begins=begins, ends=begins + dt.timedelta(hours=1))
    row = Visit.objects.values().get(pk=visit.pk)
    assert not any("李阿婆" in str(value) or centre.address in str(value) for value in row.values())
    scope, ago = centre.scope(centre.worker), dt.timedelta(minutes=1)
    assert home_shown(visit, scope=scope) is None
    shown = home_shown(visit, scope=scope, now=begins - dt.timedelta(hours=12) + ago)
    assert shown is not None
    assert (shown.name, shown.note) == ("李阿婆", "门铃坏了请敲门")
    assert home_shown(visit, scope=centre.scope(centre.other), now=begins) is None
    assert home_shown(visit, scope=scope, now=begins + dt.timedelta(hours=26)) is None
    assert [each.pk for each in own_visits(scope=scope)] == [visit.pk]
    assert own_visits(scope=centre.scope(centre.other)) == []


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"kind": "massage"}, "kind"),
        ({"worker": "nobody"}, "worker"),
        ({"address": "某个没有的地方"}, "address"),
        ({"phone": "call me"}, "phone"),
        ({"ends": timezone.now() - dt.timedelta(hours=2)}, "ends"),
        ({"fence": uuid.uuid4()}, "fence"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(centre: Centre, over: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as fault:
        visit_of(centre, **over)
    assert fault.value.detail["field"] == field
    assert not Visit.objects.exists()


def test_nobody_is_in_two_places_and_the_same_form_is_one_visit(centre: Centre) -> None:
    key = uuid.uuid4()
    first = assign_visit(organisation=centre.organisation.pk, wanted=wanted(centre), key=key, scope=centre.heads)
    again = assign_visit(organisation=centre.organisation.pk, wanted=wanted(centre), key=key, scope=centre.heads)
    assert first.pk == again.pk
    with pytest.raises(Conflict, match="时间重叠"):
        visit_of(centre)
    assert visit_of(centre, worker=centre.other.username).worker == centre.other
    visit_of(centre, external="GD-1", begins=first.to_at, ends=first.to_at + dt.timedelta(hours=1))
    with pytest.raises(Conflict, match="外部编号"):
        visit_of(
            centre,
            external="GD-1",
            begins=first.to_at + dt.timedelta(hours=2),
            ends=first.to_at + dt.timedelta(hours=3),
        )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_arranged_whole_and_twice_the_same_is_once(centre: Centre, encoding: str) -> None:
    content, key = csv(line(centre), line(centre, "13:00", "14:00"), encoding=encoding), uuid.uuid4()
    made, faults = assign_list(organisation=centre.organisation.pk, content=content, key=key, scope=centre.heads)
    assert (len(made), faults) == (2, [])
    assert home_of(made[0]).name == "王老伯"
    again, _ = assign_list(organisation=centre.organisation.pk, content=content, key=key, scope=centre.heads)
    assert {each.pk for each in again} == {each.pk for each in made}


def test_a_list_with_one_wrong_line_arranges_nothing_and_names_the_line(centre: Centre) -> None:
    content = csv(line(centre), line(centre, "9点", "10:00"), line(centre, "09:30", "11:00"))
    made, faults = assign_list(
        organisation=centre.organisation.pk, content=content, key=uuid.uuid4(), scope=centre.heads
    )
    assert made == []
    assert [(each.line, each.words[:6]) for each in faults] == [(3, "日期写成 2"), (4, faults[1].words[:6])]
    assert "时间重叠" in faults[1].words
    assert not Visit.objects.exists()
    for bad in (b"", b"a,b\n1,2", csv()):
        with pytest.raises(BadInput):
            assign_list(organisation=centre.organisation.pk, content=bad, key=uuid.uuid4(), scope=centre.heads)
    assert template_csv().decode("utf-8-sig").splitlines()[0] == ",".join(COLUMNS.values())


def test_a_visit_is_taken_back_until_it_begins(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    with pytest.raises(Conflict, match="刚刚有变化"):
        cancel_visit(number=visit.number, why="住院", seen=99, scope=centre.heads)
    check_in(
        visit_uid=visit.uid, sent=sent(reading=at_home(visit)), user=centre.worker, scope=centre.scope(centre.worker)
    )
    visit.refresh_from_db()
    with pytest.raises(Conflict):
        cancel_visit(number=visit.number, why="住院", seen=visit.revision, scope=centre.heads)
    other = visit_of(centre, worker=centre.other.username)
    assert cancel_visit(number=other.number, why="住院", seen=1, scope=centre.heads).state == VisitState.CANCELLED
    with pytest.raises(Conflict, match="已经取消"):
        check_in(visit_uid=other.uid, sent=sent(), user=centre.other, scope=centre.scope(centre.other))


def test_another_centre_neither_sees_nor_takes_back_nor_arranges(centre: Centre) -> None:
    visit, strangers = visit_of(centre), make_centre("别家中心", "b-")
    assert list(visits_arranged(scope=strangers.heads)) == []
    with pytest.raises(NotFound):
        cancel_visit(number=visit.number, why="住院", seen=1, scope=strangers.heads)
    with pytest.raises(BadInput, match="自己的服务单位"):
        assign_visit(
            organisation=centre.organisation.pk, wanted=wanted(centre), key=uuid.uuid4(), scope=strangers.heads
        )  # fmt: skip
    with pytest.raises(Forbidden):
        assign_visit(
            organisation=centre.organisation.pk, wanted=wanted(centre), key=uuid.uuid4(), scope=centre.scope(centre.worker)
        )  # fmt: skip
    browser = Client()
    browser.force_login(strangers.head, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"/desk/visits/{visit.number}").status_code == 404
    assert browser.get(f"/my/visits/{visit.uid}").status_code == 403


def test_at_the_desk_a_list_is_uploaded_and_its_faults_are_shown(centre: Centre) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile as File

    browser = Client()
    browser.force_login(centre.head, backend="django.contrib.auth.backends.ModelBackend")
    wrong = File("v.csv", csv(line(centre, address="没有的路99999号")))
    answer = browser.post("/desk/visits/list", {"list": wrong, "key": str(uuid.uuid4())})
    assert answer.status_code == 400
    assert "有 1 行不对" in answer.content.decode()
    right = File("v.csv", csv(line(centre)))
    assert browser.post("/desk/visits/list", {"list": right, "key": str(uuid.uuid4())}).status_code == 302
    day = timezone.localdate() + dt.timedelta(days=1)
    shown = browser.get(f"/desk/visits?day={day:%F}").content.decode()
    assert "王**" in shown
    assert "139****0022" in shown
    assert "王老伯" not in shown
    assert "text/csv" in browser.get("/desk/visits/template.csv").headers["Content-Type"]
