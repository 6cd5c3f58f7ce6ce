"""Rows of the catalogue about templates of documents at the desk: set up, altered, deleted."""

from __future__ import annotations

import io
import re
from pathlib import Path

import docx
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from geo.regions.models import RegionVersion
from services.access.models import User
from services.kernel.documents.models import Attachment, TemplateVersion
from services.kernel.documents.store import path_of
from services.kernel.logs.models import LogLine
from tests.services.kernel.documents.files import plain_of, word
from tests.services.kernel.logs.conftest import collect_all, logs
from tests.web.test_log_centre import desk, of_district, text

__all__ = ["desk", "logs"]
PAGE = "/desk/templates/place-sheet"


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")


def signed_in(name: str) -> Client:
    made = Client()
    made.force_login(User.objects.get(username=name))
    return made


def region(code: str) -> int:
    return int(RegionVersion.objects.get(edition__state="published", code=code).region_id)


def uploaded(who: Client, line: str, note: str = "", code: str = "310101") -> TemplateVersion:
    file = SimpleUploadedFile("登记表.docx", word(line))
    answer = who.post(f"{PAGE}/upload", {"file": file, "note": note, "region": region(code)})
    assert answer.status_code == 302
    return TemplateVersion.objects.latest("pk")


def act(who: Client, version: TemplateVersion, name: str) -> str:
    """Send a form of a version, and return the page it leads to."""
    return text(who.post(f"/desk/templates/versions/{version.pk}/{name}", follow=True))


def made_now(who: Client) -> str:
    """Return what a document of a place says when it is made now."""
    place = of_district()
    who.post("/desk/files/make", {"kind": "facilities", "owner_id": str(place.pk), "what": "place-sheet.docx"})
    newest = Attachment.objects.latest("uploaded_at")
    return "".join(one.text for one in docx.Document(io.BytesIO(plain_of(path_of(newest.sha256)))).paragraphs)


def versions_shown(page: str) -> list[str]:
    """Return the numbers of the versions on a page, the newest first."""
    return re.findall(r"<p><strong>第 (\d+) 版</strong>", page)


@pytest.mark.covers("ELD-GOV-34", via="services.kernel.documents.templates.actions:delete_version")
def test_a_template_is_set_up_altered_and_deleted_at_the_desk(desk: Client) -> None:
    """文书模板配置: uploaded, published, used. 修改: a new version takes its place. 删除: what never counted goes for good."""
    district = signed_in("qu")
    name = of_district().name
    # 配置
    first = uploaded(district, "区里的表：{{名称}}", "第一次")
    assert "第 1 版已发布" in act(district, first, "publish")
    assert made_now(district) == f"区里的表：{name}"
    # 修改
    second = uploaded(district, "改过的表：{{名称}}", "换了标题")
    page = text(district.get(PAGE))
    assert versions_shown(page) == ["2", "1"]
    assert "换了标题" in page
    act(district, second, "publish")
    assert made_now(district) == f"改过的表：{name}"
    # 删除: of the versions only the one that was never published offers it; those that count or counted say why they stay
    wrong = uploaded(district, "传错的表：{{名称}}")
    page = text(district.get(PAGE))
    assert re.findall(r"/desk/templates/versions/(\d+)/delete", page) == [str(wrong.pk)]
    assert "删除第 3 版" in page
    assert "第 2 版正在用，不能删除。不想再用，请点“停用本地模板，用上一级的”" in act(district, second, "delete")
    assert "第 1 版发布过，以前的文书要有据可查，不能删除。" in act(district, first, "delete")
    page = act(district, wrong, "delete")
    assert "第 3 版已删除，正在用的模板不变。" in page
    assert versions_shown(page) == ["2", "1"]
    assert set(TemplateVersion.objects.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert made_now(district) == f"改过的表：{name}"
    # what was withdrawn counts no more, and what a region only tried goes whole
    district.post(f"{PAGE}/withdraw", {"region": region("310101")})
    assert "黄浦区现在用的：<strong>自带的模板</strong>" in text(district.get(PAGE))
    only = uploaded(desk, "全市试的表：{{名称}}", code="310000")
    assert versions_shown(act(desk, only, "delete")) == []
    assert "这里还没有自己的模板。" in text(desk.get(PAGE))
    # who deleted it stands in the log centre
    collect_all()
    lines = LogLine.objects.filter(act="template_version.deleted").order_by("id")
    assert [(line.actor, line.object_id) for line in lines] == [("qu", str(wrong.pk)), ("shi", str(only.pk))]
    assert "删除文书模板版本" in text(desk.get("/desk/logs", {"actor": "qu"}))


def test_nobody_else_deletes_a_template(desk: Client) -> None:
    version = uploaded(signed_in("qu"), "区里的表：{{名称}}")
    path = f"/desk/templates/versions/{version.pk}/delete"
    assert Client().post(path).status_code == 302
    for name in ("guihua", "jiezhen", "jigou", "jumin"):
        assert signed_in(name).post(path).status_code == 403
    assert signed_in("qu").get(path).status_code == 405
    city = uploaded(desk, "市里的表：{{名称}}", code="310000")
    assert signed_in("qu").post(f"/desk/templates/versions/{city.pk}/delete").status_code == 403
    assert signed_in("qu").post("/desk/templates/versions/999999999/delete").status_code == 404
    assert TemplateVersion.objects.count() == 2
