"""Runs of processes: asked for once, carried out with what may be seen then, stopped, killed, kept some days, handed to their asker."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.utils import timezone

from geo.errors import BadInput, CityError, Conflict, NotFound, TooMany
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.kept import open_file
from geo.regions.models import Region
from geo.scope import Scope
from layers import registry
from layers.processes import actions
from layers.processes.actions import ask_run, cancel_run, delete_run, purge_runs
from layers.processes.models import ProcessRun
from layers.processes.queries import file_of_run, folder, job_of, run_of, runs_visible
from layers.spec import LayerSpec
from services.access.actions import declare_roles, grant_role
from services.access.models import Grant, User
from services.access.queries import scope_of_account

pytestmark = pytest.mark.usefixtures("city", "own_folder")
CLERK: Final = Scope(actor="clerk")
OTHER: Final = Scope(actor="other")
PUBLIC: Final = Scope.public()
INPUTS: Final = {"layer": "places", "format": "csv"}


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    for name in ("clerk", "other"):
        User.objects.create_user(name)


def ask(scope: Scope = PUBLIC, inputs: Mapping[str, Any] = INPUTS, **more: Any) -> ProcessRun:
    return ask_run(process="export", inputs=inputs, scope=scope, **more)


def carried_out(run: ProcessRun, scope: Scope = PUBLIC) -> ProcessRun:
    run_job(job_id=job_of(run).pk)
    return run_of(run_id=run.pk, scope=scope)


def kept_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_run_ends_with_its_file_and_what_is_said_of_it() -> None:
    run = carried_out(ask())
    job = job_of(run)
    assert (job.state, job.progress) == (JobState.DONE, 1.0)
    path = file_of_run(run, scope=PUBLIC)
    assert path.parent == folder()
    assert job.result == {"rows": run.rows, "size": run.size}
    assert run.rows > 0
    assert run.paths == []
    assert run.about["said"][0] == ["图层", "服务设施（places）"]
    assert run.expires_at > timezone.now() + dt.timedelta(days=6)


def test_the_same_request_twice_is_one_run() -> None:
    key = uuid.uuid4()
    assert ask(CLERK, run_id=key).pk == ask(CLERK, run_id=key).pk == key
    assert ProcessRun.objects.count() == Job.objects.filter(kind=actions.RUN_JOB).count() == 1
    for scope, inputs in ((OTHER, INPUTS), (CLERK, {**INPUTS, "format": "gpkg"})):
        with pytest.raises(Conflict):
            ask(scope, inputs, run_id=key)


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"layer": "places"}, "input_missing"),
        ({**INPUTS, "format": "exe"}, "input_invalid"),
        ({**INPUTS, "attributes": "name"}, "input_invalid"),
        ({**INPUTS, "bbox": [1, 2, 3, 4]}, "input_invalid"),
        ({**INPUTS, "region": "1' OR true --"}, "input_invalid"),
        ({**INPUTS, "path": "../../etc/passwd"}, "input_unknown"),
        ({**INPUTS, "attributes": ["x" * 99] * 20_000}, "inputs_too_large"),
    ],
)
def test_inputs_that_do_not_hold_begin_nothing(inputs: dict[str, Any], code: str) -> None:
    with pytest.raises(CityError) as refused:
        ask(inputs=inputs)
    assert refused.value.code == code
    assert not ProcessRun.objects.exists()
    assert not Job.objects.filter(kind=actions.RUN_JOB).exists()


def test_only_its_asker_sees_a_run_and_its_file() -> None:
    run = carried_out(ask(CLERK), CLERK)
    assert list(runs_visible(scope=CLERK)) == [run]
    for scope in (OTHER, PUBLIC, Scope(paths=("",), duties=frozenset({"*"}), actor="chief")):
        assert not runs_visible(scope=scope)
        with pytest.raises(NotFound):
            run_of(run_id=run.pk, scope=scope)
    unknown = carried_out(ask(PUBLIC))
    assert not runs_visible(scope=PUBLIC)
    assert run_of(run_id=unknown.pk, scope=OTHER) == unknown


def test_a_stopped_run_leaves_nothing() -> None:
    queued = ask(CLERK)
    cancel_run(run_id=queued.pk, scope=CLERK)
    queued = carried_out(queued, CLERK)
    assert queued.file == ""
    assert job_of(queued).state == JobState.CANCELLED
    with pytest.raises(Conflict):
        cancel_run(run_id=queued.pk, scope=CLERK)
    with pytest.raises(Conflict) as early:
        file_of_run(queued, scope=CLERK)
    assert early.value.code == "result_not_ready"
    assert kept_files() == []


def test_a_run_stopped_at_its_last_step_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ask(CLERK)
    keep = actions.keep_file

    def keep_then_stop(plain: Path, target: Path) -> None:
        keep(plain, target)
        cancel_run(run_id=run.pk, scope=CLERK)

    monkeypatch.setattr(actions, "keep_file", keep_then_stop)
    done = carried_out(run, CLERK)
    assert (job_of(done).state, done.file) == (JobState.CANCELLED, "")
    assert kept_files() == []


def test_a_caller_has_a_share_of_the_work_and_of_the_space(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [ask(CLERK) for _ in range(actions.MOST_OPEN)]
    with pytest.raises(TooMany) as refused:
        ask(CLERK)
    assert refused.value.detail["retry_after"]
    ask(OTHER)
    ProcessRun.objects.filter(pk=runs[0].pk).update(made_at=timezone.now() - actions.LOST_AFTER)
    lost = ask(CLERK)
    cancel_run(run_id=lost.pk, scope=CLERK)
    ProcessRun.objects.filter(pk__in=(lost.pk, runs[0].pk)).update(made_at=timezone.now())
    delete_run(run_id=lost.pk, scope=CLERK)
    for run in runs:
        cancel_run(run_id=run.pk, scope=CLERK)
    ask(CLERK)
    monkeypatch.setattr(actions, "MOST_KEPT", 4)
    with pytest.raises(TooMany) as full:
        ask(CLERK)
    assert full.value.code == "too_many_kept"
    delete_run(run_id=runs[0].pk, scope=CLERK)
    ask(CLERK)
    for _ in range(actions.MOST_OPEN_PUBLIC):
        ask(PUBLIC)
    with pytest.raises(TooMany):
        ask(PUBLIC)


def test_a_file_beyond_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_BYTES", 1_000)
    run = carried_out(ask(CLERK), CLERK)
    assert job_of(run).state == JobState.FAILED
    assert job_of(run).error["code"] == "result_too_large"
    assert kept_files() == []


def test_what_is_over_is_deleted_with_its_file() -> None:
    old, new = carried_out(ask(CLERK), CLERK), carried_out(ask(CLERK), CLERK)
    ProcessRun.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    stray = folder() / "stray"
    stray.write_bytes(b"left by a worker that died")
    hours_ago = time.time() - 7200
    os.utime(stray, (hours_ago, hours_ago))
    assert purge_runs() == 1
    assert list(ProcessRun.objects.all()) == [new]
    assert [path.name for path in folder().iterdir()] == [new.file]


def test_deleting_an_open_run_stops_it() -> None:
    run = ask(CLERK)
    delete_run(run_id=run.pk, scope=CLERK)
    assert Job.objects.get(pk=job_of(run).pk).state == JobState.CANCELLED
    with pytest.raises(NotFound):
        delete_run(run_id=run.pk, scope=CLERK)


def test_a_process_that_only_runs_behind_is_not_run_at_once() -> None:
    with pytest.raises(BadInput):
        ask(CLERK, at_once=True)


HOME, ELSEWHERE = "310101", "310110"


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> LayerSpec:
    """Provide a layer of regions that only staff see, each the rows of its own district."""
    spec = dataclasses.replace(
        registry.layer("regions"), key="closed", title="内部图层", duty="layers.view", path="t.path",
        table="(SELECT * FROM regions_regionversion WHERE edition_id IN (SELECT id FROM regions_edition WHERE state = 'published'))",
    )  # fmt: skip
    monkeypatch.setattr(registry, "PROVIDERS", [registry.Provider({"closed": spec}.get, lambda: [spec])])
    return spec


def posted(name: str, *codes: str) -> Scope:
    """Post an account to districts as their manager and return what it may see."""
    declare_roles()
    user = User.objects.get(username=name)
    for code in codes:
        region = Region.objects.get(versions__code=code, versions__edition__state="published")
        grant_role(user=user, role="district_manager", region=region, granted_by="test")
    return scope_of_account(name)


def codes_in(run: ProcessRun, scope: Scope) -> set[str]:
    with open_file(file_of_run(run, scope=scope)) as content:
        lines = csv.DictReader(io.TextIOWrapper(content, "utf-8-sig"))
        return {line["代码"][:6] for line in lines}


def test_the_rows_are_those_the_asker_may_see_when_it_is_written(closed: LayerSpec) -> None:
    inputs = {"layer": "closed", "format": "csv", "attributes": ["code"]}
    with pytest.raises(NotFound):
        ask(OTHER, inputs)
    both = posted("clerk", HOME, ELSEWHERE)
    first = carried_out(ask(both, inputs), both)
    assert codes_in(first, both) == {HOME, ELSEWHERE}
    waiting = ask(both, inputs)
    Grant.objects.filter(user__username="clerk", region__versions__code=ELSEWHERE).delete()
    less = scope_of_account("clerk")
    second = carried_out(waiting, less)
    assert codes_in(second, less) == {HOME}
    with pytest.raises(NotFound):
        file_of_run(first, scope=less)
    late = ask(less, inputs)
    Grant.objects.filter(user__username="clerk").delete()
    nothing = scope_of_account("clerk")
    assert job_of(carried_out(late, nothing)).error["code"] == "layer_unknown"
    with pytest.raises(NotFound):
        file_of_run(second, scope=nothing)


def test_an_account_that_was_stopped_gets_nothing() -> None:
    run = ask(CLERK)
    User.objects.filter(username="clerk").update(is_active=False)
    assert job_of(carried_out(run, CLERK)).error["code"] == "account_gone"
    assert kept_files() == []
