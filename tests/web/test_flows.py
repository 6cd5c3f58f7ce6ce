"""The pages of matters without a browser: settings, versions, what is refused, the report of moving."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from geo.jobs.actions import run_job
from geo.jobs.models import Job
from services.kernel.workflow.models import FlowVersion, MatterSetting, StepSetting
from tests.services.kernel.workflow.conftest import DISTRICT, World, clock, code_of, world
from tests.services.kernel.workflow.test_settings import changed
from tests.web.test_cases import client, text

__all__ = ["clock", "world"]
PAGE = "/desk/matters/service_point"


def upload(world: World, xml: str, seen: str = "0") -> Any:
    file = SimpleUploadedFile("flow.bpmn", xml.encode(), "application/xml")
    return client(world.qu).post(
        f"{PAGE}/flows", {"region": code_of(DISTRICT), "seen": seen, "note": "不再备案", "file": file}, follow=True
    )


def test_who_is_let_in(world: World) -> None:
    for user, status in ((world.zhang, 403), (world.wang, 403), (world.qu, 200), (world.shi, 200)):
        assert client(user).get("/desk/matters").status_code == status
        assert client(user).get(PAGE).status_code == status
    assert client(world.qu).get(f"{PAGE}?region={code_of('')}").status_code == 403
    assert client(world.qu).get("/desk/matters/none").status_code == 404


def test_settings_are_saved_and_taken_back(world: World) -> None:
    page, place = client(world.qu), {"region": code_of(DISTRICT)}
    answer = page.post(
        f"{PAGE}/set", place | {"route": "instant", "category": "为老", "source": ["window", "one_stop"]}, follow=True
    )
    assert "已保存" in text(answer)
    assert MatterSetting.objects.get().sources == ["window", "one_stop"]
    step = {"days": "3", "remind": "1", "dispatch": "rule", "mode": "one", "post": "", "notice": ["due"]}
    assert "本区划已设置" in text(page.post(f"{PAGE}/steps/street", place | step, follow=True))
    assert StepSetting.objects.get().notices == ["due"]
    bad = page.post(f"{PAGE}/steps/street", place | step | {"days": "x"})
    assert bad.status_code == 400
    assert "工作日" in text(bad)
    page.post(f"{PAGE}/steps/street", place | {"act": "unset"})
    assert not StepSetting.objects.exists()


def test_a_version_is_uploaded_compared_published_and_moved_to(world: World) -> None:
    refused = upload(world, changed().replace("bpmn:userTask", "bpmn:scriptTask"))
    assert refused.status_code == 400
    assert "脚本任务" in text(refused)
    assert "已存为第 1 版草稿" in text(upload(world, changed(city=None)))
    assert upload(world, changed(city=None)).status_code == 409
    draft, page = FlowVersion.objects.get(made_by="quzhang"), client(world.qu)
    assert page.get(f"/desk/flows/{draft.pk}.bpmn").content.decode() == draft.xml
    other = upload(world, changed(), seen="1")
    assert other.status_code == 200
    second = FlowVersion.objects.get(made_by="quzhang", number=2)
    compare = text(page.get(f"{PAGE}/compare?a={draft.pk}&b={second.pk}"))
    assert "市备案" in compare
    assert "新增" in compare
    assert "现在起用它" in text(page.post(f"/desk/flows/{draft.pk}/publish", follow=True))
    case = world.open()
    page.post(f"/desk/flows/{second.pk}/publish")
    answer = page.get(f"{PAGE}?region={code_of(DISTRICT)}")
    assert "还有 1 件在办的办件走旧版本" in text(answer)
    page.post(f"/desk/flows/{second.pk}/move")
    job = Job.objects.get(kind="workflow.move_cases")
    assert "正在排队" in text(page.get(f"/desk/flows/moves/{job.pk}"))
    run_job(job_id=job.pk)
    report = text(page.get(f"/desk/flows/moves/{job.pk}"))
    assert "1 件" in report
    case.refresh_from_db()
    assert case.flow == second
    assert client(world.wang).get(f"/desk/flows/moves/{job.pk}").status_code == 403
    for path in (f"/desk/flows/{draft.pk}.bpmn", f"{PAGE}/compare?a={draft.pk}&b={second.pk}"):
        assert client(world.wang).get(path).status_code == 403


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"", b"<a" * 1000])
def test_odd_files(world: World, body: bytes) -> None:
    file = SimpleUploadedFile("flow.bpmn", body, "application/xml")
    answer = client(world.qu).post(f"{PAGE}/flows", {"region": code_of(DISTRICT), "seen": "0", "file": file})
    assert answer.status_code == 400
