"""What a manager may set to be preloaded, what is refused, and who may not."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import QuerySet
from django.test import Client

from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.preloading.actions import KIND
from services.facilities.preloading.models import Preload

pytestmark = pytest.mark.usefixtures("city", "nothing_kept")
NEW = "/desk/preloads/new"
GOOD = {"title": "黄浦", "region": "310101", "layers": ["places", "regions"], "kinds": ["eldercare"], "from_zoom": "9", "to_zoom": "11", "active": "1"}  # fmt: skip


@pytest.fixture
def nothing_kept() -> None:
    """Forget the tiles other tests of this process drew."""
    cache.clear()


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def jobs() -> QuerySet[Job]:
    return Job.objects.filter(kind=KIND)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize("name", ["qu", "jiezhen", "jigou", "jumin"])
def test_it_is_for_managers_of_the_city_only(name: str) -> None:
    kept = Preload.objects.create(
        city="shanghai",
        title="某项",
        layers=["places"],
        from_zoom=9,
        to_zoom=9,
        changed_by="shi",
        changed_at="2026-01-01T00:00Z",
    )
    client = signed_in(name)
    for url in ("/desk/preloads", NEW, f"/desk/preloads/{kept.pk}"):
        assert client.get(url).status_code == 403
    for url in (NEW, *(f"/desk/preloads/{kept.pk}{act}" for act in ("", "/run", "/stop", "/delete"))):
        assert client.post(url, GOOD).status_code == 403
    assert Preload.objects.get() == kept
    assert not jobs().exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "请写一个名称"),
        ({"layers": []}, "至少选一个图层"),
        ({"layers": ["nothing"]}, "至少选一个图层"),
        ({"from_zoom": "12", "to_zoom": "9"}, "最小级别不能大于最大级别"),
        ({"from_zoom": "x"}, "级别从 6 到 16"),
        ({"region": "", "to_zoom": "16"}, "请缩小范围"),
        ({"region": "310199"}, "没有"),
    ],
)
def test_what_cannot_be_is_said_beside_what_was_typed(wrong: dict[str, Any], said: str) -> None:
    answer = signed_in("shi").post(NEW, GOOD | wrong)
    assert answer.status_code in (400, 404, 422)
    assert said in text(answer)
    assert 'value="黄浦"' in text(answer) or "title" in wrong
    assert not Preload.objects.exists()


def test_two_managers_and_two_clicks() -> None:
    client = signed_in("shi")
    client.post(NEW, GOOD)
    kept = Preload.objects.get()
    page = f"/desk/preloads/{kept.pk}"
    assert jobs().count() == 1
    client.post(f"{page}/run")
    client.post(f"{page}/run")
    assert jobs().count() == 1, "one run at a time"
    assert "已经有一项叫" in text(client.post(NEW, GOOD))
    assert "已保存" in text(client.post(page, GOOD | {"title": "黄浦区", "revision": "1"}, follow=True))
    stale = client.post(page, GOOD | {"title": "我的改动", "revision": "1"})
    assert (stale.status_code, "刚被别人改过" in text(stale), 'value="我的改动"' in text(stale)) == (409, True, True)
    assert Preload.objects.get().title == "黄浦区"


def test_a_run_that_was_stopped_goes_on_where_it_was() -> None:
    client = signed_in("shi")
    client.post(NEW, GOOD)
    kept = Preload.objects.get()
    page = f"/desk/preloads/{kept.pk}"
    assert "正在停下" in text(client.post(f"{page}/stop", follow=True))
    assert jobs().get().state == JobState.CANCELLED
    client.post(f"{page}/run")
    done = run_job(job_id=jobs().get(state=JobState.QUEUED).pk)
    assert done.state == JobState.DONE
    run = kept.runs.get(job=done.pk)
    assert run.drawn > 0
    assert run.kept == 0
    client.post(f"{page}/run")
    third = run_job(job_id=jobs().get(state=JobState.QUEUED).pk)
    assert third.result == {"drawn": 0, "kept": run.drawn, "bytes": 0}
    shown = text(client.get(page))
    assert f"{run.drawn} 块" in shown
    assert "它已经做完了" in text(client.post(f"{page}/stop", follow=True))


def test_what_is_deleted_ends_its_run() -> None:
    client = signed_in("shi")
    client.post(NEW, GOOD)
    kept = Preload.objects.get()
    client.post(f"/desk/preloads/{kept.pk}/delete")
    job = jobs().get()
    assert job.state == JobState.CANCELLED
    assert not Preload.objects.exists()
    assert client.get(f"/desk/preloads/{kept.pk}").status_code == 404
    client.post(NEW, GOOD)
    Preload.objects.all().delete()
    late = jobs().get(state=JobState.QUEUED)
    assert run_job(job_id=late.pk).state == JobState.FAILED
