"""Jobs: run once, report, resume after a crash, stop when asked."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.jobs.actions import ATTEMPTS, cancel_job, revive_jobs, run_job, start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.jobs.queries import jobs_visible
from geo.jobs.registry import job
from geo.scope import Scope

SEEN: list[int] = []


@job("test.count")
def count(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Count to ``to``, keeping a cursor; ``die_at`` stands for a killed worker."""
    for number in range(progress.cursor.get("next", 0), params["to"]):
        if number == params.get("die_at") and progress.job.attempts == 1:
            raise SystemExit
        if number == params.get("refuse_at"):
            raise BadInput("too_far", "数得太远了。")
        if number == params.get("fail_at"):
            raise ZeroDivisionError
        SEEN.append(number)
        progress.save({"next": number + 1})
        progress.step((number + 1) / params["to"], f"第 {number + 1} 个")
    return {"counted": params["to"]}


@job("test.turn", in_turn=True)
def meet(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Let a worker take another job meanwhile and tell in which state that is then."""
    return {"state": run_job(job_id=params["other"], in_turn=True).state} if "other" in params else {}


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


def queued(**params: Any) -> Job:
    return Job.objects.create(kind="test.count", params=params)


@pytest.mark.django_db
def test_a_job_runs_once_and_tells_its_result() -> None:
    job_ = run_job(job_id=queued(to=3).pk)
    assert (job_.state, job_.progress, job_.result) == (JobState.DONE, 1.0, {"counted": 3})
    run_job(job_id=job_.pk)
    assert SEEN == [0, 1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize(("params", "code"), [({"refuse_at": 1}, "too_far"), ({"fail_at": 1}, "fault")])
def test_a_job_that_fails_says_why(params: dict[str, int], code: str) -> None:
    job_ = run_job(job_id=queued(to=3, **params).pk)
    assert job_.state == JobState.FAILED
    assert job_.error["code"] == code


@pytest.mark.django_db
def test_a_job_whose_worker_died_goes_on_where_it_stood(worker_is_away: None) -> None:
    job_ = queued(to=4, die_at=2)
    with pytest.raises(SystemExit):
        run_job(job_id=job_.pk)
    Job.objects.update(heartbeat_at=timezone.now() - datetime.timedelta(hours=1))
    assert [revived.pk for revived in revive_jobs()] == [job_.pk]
    assert run_job(job_id=job_.pk).state == JobState.DONE
    assert SEEN == [0, 1, 2, 3]


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_again_and_again_is_given_up() -> None:
    long_ago = timezone.now() - datetime.timedelta(hours=1)
    job_ = Job.objects.create(
        kind="test.count", state=JobState.RUNNING, heartbeat_at=long_ago, attempts=ATTEMPTS, params={"to": 1}
    )
    assert revive_jobs() == []
    job_.refresh_from_db()
    assert (job_.state, job_.error["code"]) == (JobState.FAILED, "worker_lost")


@pytest.mark.django_db
def test_cancelling_stops_a_queued_job_at_once_and_a_running_one_at_its_next_step() -> None:
    waiting = cancel_job(job_id=queued(to=1).pk)
    assert waiting.state == JobState.CANCELLED
    running = queued(to=3)
    Job.objects.filter(pk=running.pk).update(cancel_requested=True)
    assert run_job(job_id=running.pk).state == JobState.CANCELLED
    assert SEEN == [0]
    with pytest.raises(Conflict):
        cancel_job(job_id=running.pk)


@pytest.mark.django_db
def test_an_unknown_kind_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(NotFound):
        start_job(kind="test.nonsense")
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_one_sees_ones_own_jobs_and_the_public_sees_none() -> None:
    mine = Job.objects.create(kind="test.count", actor="me")
    Job.objects.create(kind="test.count", actor="public")
    assert list(jobs_visible(scope=Scope(actor="me"))) == [mine]
    assert not jobs_visible(scope=Scope.public()).exists()
    viewing = frozenset({"jobs.view"})
    assert jobs_visible(scope=Scope(paths=("310000.",), duties=viewing)).count() == 2
    assert jobs_visible(scope=Scope(paths=("310000.310101.",), duties=viewing)).count() == 0, (
        "a district sees its own only"
    )


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_takes_the_job_after_commit(worker: None) -> None:
    job_ = start_job(kind="test.count", params={"to": 3}, actor="me")
    deadline = timezone.now() + datetime.timedelta(seconds=20)
    while job_.state not in {JobState.DONE, JobState.FAILED} and timezone.now() < deadline:
        job_.refresh_from_db()
    assert (job_.state, job_.result) == (JobState.DONE, {"counted": 3})


@pytest.fixture
def worker_is_away() -> None:
    """Name the state of the test: messages go to the real Redis, where nobody listens yet."""


@pytest.mark.django_db
@pytest.mark.parametrize(("actor", "state"), [("somebody", JobState.QUEUED), ("somebody else", JobState.DONE)])
def test_of_jobs_that_go_in_turn_one_of_an_actor_is_at_work(actor: str, state: JobState) -> None:
    other = Job.objects.create(kind="test.turn", actor=actor)
    first = Job.objects.create(kind="test.turn", actor="somebody", params={"other": str(other.pk)})
    assert run_job(job_id=first.pk, in_turn=True).result == {"state": state}
    assert run_job(job_id=other.pk, in_turn=True).state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_comes_back_to_a_job_that_waited_for_its_turn(worker: None) -> None:
    at_work = Job.objects.create(kind="test.turn", actor="somebody", state=JobState.RUNNING)
    waiting = start_job(kind="test.turn", actor="somebody")
    after_it = start_job(kind="test.turn", actor="somebody else")
    ended(after_it)
    waiting.refresh_from_db()
    assert waiting.state == JobState.QUEUED, "the worker has been there and went on to the next"
    Job.objects.filter(pk=at_work.pk).update(state=JobState.DONE)
    ended(waiting)


def ended(row: Job) -> None:
    """Wait until a worker has done a job."""
    deadline = timezone.now() + datetime.timedelta(seconds=30)
    while row.state != JobState.DONE and timezone.now() < deadline:
        row.refresh_from_db()
    assert row.state == JobState.DONE
