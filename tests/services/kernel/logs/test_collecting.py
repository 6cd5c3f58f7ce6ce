"""How sources become lines: one shape, once each, after whoever writes below them has ended, with nothing secret in them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pghistory
import pytest
from django.db import connection
from django.utils import timezone

from geo.jobs.actions import run_job, start_job
from geo.jobs.models import Job
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.kernel.logs import machine
from services.kernel.logs.collecting import collect_logs
from services.kernel.logs.machine import MOST_LINES, line_of
from services.kernel.logs.models import LogLine, Mark, NotedChange
from services.kernel.logs.noting import install_triggers
from services.kernel.logs.registry import act_words, declared, kind_words
from services.kernel.logs.spec import Tracked
from services.kernel.messages.configuring import choose_event
from tests.services.kernel.logs.conftest import collect_all

CITY = Scope(paths=("310000.",), duties=frozenset({"*"}), actor="shi")
NOW = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)


def test_every_declaration_names_what_is_there() -> None:
    from django.apps import apps

    sources, tracked = declared()
    assert {source.key for source in sources} == {"audit", "client_calls", "case_events"}
    for table in tracked:
        model = apps.get_model(table.model)
        columns = {field.column for field in model._meta.concrete_fields}
        named = [
            *table.fields,
            *filter(None, (table.name, table.region, table.organisation, table.actor, table.request, table.state)),
        ]
        assert set(named) <= columns, table.kind
        assert not {name for name in named if "phone" in name and table.kind != "facility"}, table.kind
        assert hasattr(model, "pgh_event_model") == table.history, table.kind
        for page in (table.page, *table.pages.values()):
            assert page.format(id="1", name="甲").startswith("/") or not page, table.kind
        if table.rollback:
            module, _, name = table.rollback.restore.partition(":")
            assert callable(getattr(__import__(module, fromlist=[name]), name))
    assert len(act_words()) > 100
    assert kind_words()["case"] == "办件"


@pytest.mark.usefixtures("logs")
def test_triggers_stand_once_and_are_made_anew_only_when_declared_otherwise() -> None:
    assert install_triggers() == 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER kernel_logs_note_changed_job ON jobs_job")
    assert install_triggers() == 1


@pytest.mark.usefixtures("logs")
def test_a_failed_job_says_so_with_its_request() -> None:
    from geo.tracing import request_of

    with request_of("abc123"):
        job = start_job(kind="security.check", params={"parts": "?"}, actor="wang")
    Job.objects.filter(pk=job.pk).update(kind="no.such.work")
    run_job(job_id=job.pk)
    collect_all()
    acts = dict(LogLine.objects.filter(object_kind="job", object_id=str(job.pk)).values_list("act", "outcome"))
    assert acts["job.failed"] == "failed"
    assert acts["job.running"] == "done"
    assert set(LogLine.objects.filter(object_id=str(job.pk)).values_list("request_id", flat=True)) == {"abc123"}


@pytest.mark.usefixtures("logs")
def test_settings_say_before_and_after_and_who() -> None:
    choose_event(event="facility.status_changed", region="310000", channels=["in_app"], triggers=[], scope=CITY)
    choose_event(event="facility.status_changed", region="310000", channels=["in_app", "sms"], triggers=[], scope=CITY)
    collect_all()
    first, second = LogLine.objects.filter(object_kind="message_choice").order_by("id")
    assert (first.act, second.act) == ("message_choice.created", "message_choice.changed")
    assert second.changes == {"channels": [["in_app"], ["in_app", "sms"]]}
    assert second.actor == "shi"
    assert second.account == User.objects.get(username="shi").pk


@pytest.mark.usefixtures("logs")
def test_changes_of_columns_that_do_not_count_are_not_told() -> None:
    before = NotedChange.objects.count()
    User.objects.filter(username="shi").update(last_login=timezone.now())
    assert NotedChange.objects.count() == before


@pytest.mark.usefixtures("logs")
def test_numbers_of_people_are_masked_wherever_they_stand() -> None:
    facility = Facility.objects.order_by("pk")[0]
    update_facility(facility_id=facility.pk, changes={"phone": "13812345678"}, scope=CITY)
    record_audit(act=AuditAct.REFUSED, actor="13912345678", detail={"n": 13712345678, "id": "310101199001011234"})
    collect_all()
    whole = json.dumps(list(LogLine.objects.values("what", "actor", "object_name", "changes", "detail")), default=str)
    for secret in ("13812345678", "13912345678", "13712345678", "310101199001011234"):
        assert secret not in whole
    assert "138****5678" in whole
    assert '"31**************34"' in whole


@pytest.mark.usefixtures("logs")
def test_a_line_belongs_to_the_region_of_who_acted_where_its_object_has_none() -> None:
    record_audit(act=AuditAct.SIGN_OUT, actor="qu")
    collect_all()
    from services.access.models import Grant

    line = LogLine.objects.get(act="audit.sign_out", actor="qu")
    assert line.region_id == Grant.objects.filter(user__username="qu").order_by("id")[0].region_id


@pytest.mark.usefixtures("logs")
def test_nothing_is_read_before_the_sight_is_old_enough() -> None:
    record_audit(act=AuditAct.SIGN_OUT, actor="x")
    collect_logs(lag=dt.timedelta(hours=1))
    assert not LogLine.objects.filter(actor="x").exists()
    collect_all()
    assert LogLine.objects.filter(actor="x").count() == 1
    assert Mark.objects.get(key="audit").candidate == Mark.objects.get(key="audit").done


@pytest.mark.parametrize(
    ("said", "act", "outcome"),
    [
        ({"event": "request", "id": "a", "method": "GET", "route": "x", "status": 200, "ms": 9}, None, ""),
        ({"event": "request", "id": "a", "method": "GET", "route": "x", "status": 200, "ms": 1500}, "request.slow", "done"),
        ({"event": "request", "id": "a", "method": "POST", "route": "x", "status": 302, "ms": 9}, "request.write", "done"),
        ({"event": "request", "id": "a", "method": "GET", "route": "x", "status": 403, "ms": 9}, "request.refused", "refused"),
        ({"event": "request", "id": "a", "method": "GET", "route": "x", "status": 500, "ms": 9}, "request.fault", "failed"),
        ({"event": "upstream answered", "upstream": "sms", "status": 200, "ms": 9}, "upstream.call", "done"),
        ({"event": "upstream answered", "upstream": "sms", "status": 503, "ms": 9}, "upstream.call", "failed"),
        ({"event": "upstream failed", "upstream": "sms", "fault": "not_reached", "ms": 9}, "upstream.call", "failed"),
        ({"event": "Internal Server Error: /x", "level": "error", "exception": 'File "/a/b.py", line 3, in f\nKeyError: 1'}, "error.web", "failed"),
        ({"event": "system scope", "level": "info"}, None, ""),
    ],
)  # fmt: skip
def test_what_is_kept_of_a_machines_log(said: dict[str, Any], act: str | None, outcome: str) -> None:
    line = line_of(f"08:00:01 web.1  | {json.dumps(said)}", file="city.log", now=NOW)
    assert (line.act if line else None, line.outcome if line else "") == (act, outcome)


def test_an_error_says_where_it_happened_and_not_what_it_held() -> None:
    said = {"event": "job failed", "level": "error", "exception": 'File "/a/b.py", line 3, in f\nKeyError: 13812345678'}
    line = line_of(json.dumps(said), file="city.log", now=NOW)
    assert line is not None
    assert line.detail == {"event": "job failed", "exception": "KeyError", "where": "b.py:3 f"}


def test_plain_lines_are_kept_when_they_tell_of_an_error_without_passwords() -> None:
    line = line_of("2026-08-31 07:00:00.123 UTC [3] FATAL:  password=hunter2 refused", file="server.log", now=NOW)
    assert line is not None
    assert line.detail is not None
    assert "hunter2" not in str(line.detail)
    assert line.at == dt.datetime(2026, 8, 31, 7, 0, 0, 123_000, tzinfo=dt.UTC)
    assert line_of("checkpoint complete", file="server.log", now=NOW) is None


def test_a_file_is_read_once_over_rotation_and_half_lines(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, *numbers: int, end: str = "\n") -> None:
        with path.open("a") as file:
            for number in numbers:
                said = {"event": "request", "id": f"r{number}", "method": "POST", "route": "x", "status": 302, "ms": 4}
                file.write(json.dumps(said) + end)

    def seen() -> list[str]:
        return sorted(LogLine.objects.filter(source="machine").values_list("request_id", flat=True))

    write(logs, 1, 2)
    write(logs, 3, end="")  # still being written
    with pghistory.context(task="collect"):  # as every task has one
        machine.collect_machine_lines()
    assert seen() == ["r1", "r2"]
    with logs.open("a") as file:
        file.write("\n")
    write(logs, 4)
    logs.rename(logs.with_name("city.log.1"))
    write(logs, 5)
    machine.collect_machine_lines()
    machine.collect_machine_lines()
    assert seen() == ["r1", "r2", "r3", "r4", "r5"]
    # so many lines in one run, and one that says that there were more
    monkeypatch.setattr(machine, "MOST_LINES", 3)
    write(logs, *range(10, 20))
    machine.collect_machine_lines()
    assert len(seen()) == 9
    assert LogLine.objects.get(act="lines.cut").detail == {"lines": 7}
    assert MOST_LINES > 3


def test_a_declared_table_names_its_acts() -> None:
    table = Tracked(kind="thing", title="东西", model="x.Y", fields={}, states={"done": "做完"})
    assert table.words == {
        "thing.created": "新建东西",
        "thing.changed": "修改东西",
        "thing.deleted": "删除东西",
        "thing.done": "做完",
    }
