"""Files of a place in a real browser: upload, refusal, preview, versions, removal and undo, documents and their templates."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import docx
import pytest
from django.conf import settings

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.kernel.documents.files import pdf, picture, sheet, word


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")


def place_in_huangpu() -> Any:
    from services.facilities.models import Facility

    return Facility.objects.filter(
        region__versions__path__startswith="310000.310101.",
        region__versions__edition__state="published",
        status="open",
        retired_at=None,
    ).order_by("pk")[0]


def file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def part(page: Any, name: str) -> Any:
    return page.locator(".files-part").filter(has=page.get_by_role("heading", name=name))


def choose(page: Any, name: str, *files: dict[str, Any]) -> None:
    part(page, name).locator('input[type="file"]').set_input_files(list(files))


def test_a_clerk_keeps_the_files_of_a_place(open_page: Any, live_city: str) -> None:
    place = place_in_huangpu()
    page = open_page(390, 844, has_touch=True)
    sign_in(page, live_city, "qu", f"/desk/ledgers/facilities/{place.pk}")

    # Two photos and something that is none: the good ones stay, the reason stands beside the bad one.
    choose(
        page,
        "照片",
        file("门口.jpg", picture(gps=True)),
        file("坏的.jpg", b"MZ no picture"),
        file("室内.png", picture("PNG")),
    )
    part(page, "照片").locator(".file-line").nth(1).wait_for()
    assert sorted(part(page, "照片").locator(".file-name").all_inner_texts()) == ["坏的.jpg", "室内.png", "门口.jpg"]
    assert "认不出这是什么文件" in part(page, "照片").locator(".upload-item").inner_text()
    assert part(page, "照片").get_by_role("button", name="重试").is_visible()
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Another upload leaves what was said of it in its place; tried again, it is judged again.
    choose(page, "证照", file("执照.pdf", pdf()))
    part(page, "证照").locator(".file-line").wait_for()
    assert part(page, "照片").locator(".upload-item").count() == 1
    part(page, "照片").get_by_role("button", name="重试").click()
    part(page, "照片").locator(".upload-item .form-error").wait_for()
    assert part(page, "照片").locator(".upload-item").count() == 1
    part(page, "照片").get_by_role("button", name="不传了").click()
    assert part(page, "照片").locator(".upload-item").count() == 0

    # Removed by mistake, brought back by one tap.
    page.get_by_role("button", name="移除门口.jpg").click()
    page.locator(".files-said").get_by_text("已移除“门口.jpg”").wait_for()
    assert part(page, "照片").locator(".files-list").first.locator(".file-line").count() == 1
    page.get_by_role("button", name="撤销").click()
    page.get_by_text("已恢复“门口.jpg”。").first.wait_for()

    # The preview, and a new version of it.
    page.get_by_role("link", name="门口.jpg").click()
    page.wait_for_url("**/desk/files/*")
    shown = page.locator(".file-sheet img")
    shown.wait_for()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    assert "没有查过毒" in page.locator("main").inner_text()
    assert faults_of(page) == []
    page.locator("#upload-replace").set_input_files(file("门口新.jpg", picture("JPEG", (80, 60))))
    page.get_by_text("已换成第 2 版，旧版仍可查看。").wait_for()
    page.get_by_role("link", name="第 1 版").click()
    page.get_by_text("已有更新的版本").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    with page.expect_download() as download:
        page.get_by_role("link", name="下载").click()
    assert download.value.suggested_filename == "门口.jpg"
    assert b"PhoneMaker" not in Path(download.value.path()).read_bytes()


def test_files_are_dragged_in(open_page: Any, live_city: str) -> None:
    place = place_in_huangpu()
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", f"/desk/ledgers/facilities/{place.pk}")
    zone = part(page, "证照").locator("[data-drop]")
    dragged = page.evaluate_handle(
        """(bytes) => {
          const held = new DataTransfer();
          held.items.add(new File([new Uint8Array(bytes)], '拖来的.pdf', {type: 'application/pdf'}));
          return held;
        }""",
        list(pdf()),
    )
    zone.dispatch_event("dragover", {"dataTransfer": dragged})
    assert zone.get_attribute("data-over") == ""
    zone.dispatch_event("drop", {"dataTransfer": dragged})
    part(page, "证照").get_by_role("link", name="拖来的.pdf").wait_for()


def test_without_script_it_works_too(open_page: Any, live_city: str) -> None:
    place = place_in_huangpu()
    page = open_page(390, 844, java_script_enabled=False)
    sign_in(page, live_city, "qu", f"/desk/ledgers/facilities/{place.pk}")
    choose(page, "证照", file("假的.pdf", b"%PDF-1.4 nothing"))
    part(page, "证照").get_by_role("button", name="上传").click()
    assert "读不出来" in part(page, "证照").inner_text()
    choose(page, "证照", file("执照.pdf", pdf(pages=2)), file("许可.pdf", pdf()))
    part(page, "证照").get_by_role("button", name="上传").click()
    page.get_by_text("已上传 2 个文件。").wait_for()
    page.get_by_role("button", name="移除许可.pdf").click()
    page.get_by_text("已移除“许可.pdf”").wait_for()
    part(page, "证照").locator("summary").click()
    part(page, "证照").get_by_role("button", name="恢复").click()
    page.get_by_text("已恢复“许可.pdf”。").wait_for()


def test_pages_sheets_and_texts_are_shown(open_page: Any, live_city: str) -> None:
    from services.access.models import AuditEntry

    place = place_in_huangpu()
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", f"/desk/ledgers/facilities/{place.pk}")
    choose(
        page,
        "检查材料",
        file("报告.pdf", pdf(pages=3)),
        file("名单.xlsx", sheet([["姓名", "床位"], ["王秀英", 12]])),
        file("整改.docx", word("整改要求一", "整改要求二")),
    )
    part(page, "检查材料").locator(".file-line").nth(2).wait_for()
    assert AuditEntry.objects.filter(act="file_opened").count() == 0
    at = page.url

    page.get_by_role("link", name="报告.pdf").click()
    page.get_by_role("link", name="下一页").click()
    page.get_by_text("第 2 / 3 页").wait_for()
    before = page.locator(".file-sheet img").bounding_box()["width"]
    page.get_by_role("link", name="放大").click()
    page.locator(".file-large").wait_for()
    assert page.locator(".file-sheet img").bounding_box()["width"] > before
    page.get_by_role("link", name="下一页").click()
    page.get_by_text("第 3 / 3 页").wait_for()
    assert page.get_by_role("link", name="下一页").count() == 0
    assert faults_of(page) == []

    for name, words in (("名单.xlsx", ("王秀英", "12")), ("整改.docx", ("整改要求一", "整改要求二"))):
        page.goto(at)
        page.get_by_role("link", name=name).click()
        page.wait_for_url("**/desk/files/*")
        for word_ in words:
            assert word_ in page.locator(".file-text").inner_text()
        assert faults_of(page) == []
    opened = AuditEntry.objects.filter(act="file_opened")
    assert opened.count() >= 5
    assert {entry.actor for entry in opened} == {"qu"}


def test_a_district_puts_its_own_text_in_place_and_goes_back(open_page: Any, live_city: str) -> None:
    place = place_in_huangpu()
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/desk/templates")
    assert faults_of(page) == []
    page.get_by_role("link", name="服务设施登记表").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="带全部字段的 Word").click()
    start = docx.Document(download.value.path())
    start.add_paragraph("黄浦区专用")
    out = io.BytesIO()
    start.save(out)

    # A wrong tag is told, and nothing is kept.
    page.get_by_label("Word 文件（.docx）").set_input_files(file("错.docx", word("{{店名}}")))
    page.get_by_role("button", name="上传").click()
    page.get_by_text("模板里用到了没有的字段：店名。").wait_for()
    page.get_by_label("Word 文件（.docx）").set_input_files(file("黄浦.docx", out.getvalue()))
    page.get_by_label("改了什么（选填）").fill("加上专用字样")
    page.get_by_role("button", name="上传").click()
    page.get_by_text("第 1 版已上传，还没有生效。").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("示例 PDF.*第 1 版")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name=re.compile("^发布")).click()
    page.get_by_text("第 1 版已发布").wait_for()
    assert faults_of(page) == []

    # A document of a place is made with it, and says so.
    page.goto(f"{live_city}/desk/ledgers/facilities/{place.pk}")
    page.get_by_label("生成文书").select_option("place-sheet.docx")
    page.get_by_role("button", name="生成", exact=True).click()
    page.get_by_text(f"已生成“服务设施登记表－{place.name}.docx”。").first.wait_for()
    part(page, "文书").get_by_role("link").first.click()
    page.wait_for_url("**/desk/files/*")
    text = page.locator("main").inner_text()
    assert "黄浦区专用" in text
    assert place.name in text
    assert "服务设施登记表，第 1 版" in text

    page.goto(f"{live_city}/desk/templates/place-sheet")
    page.get_by_role("button", name="停用本地模板，用上一级的").click()
    page.get_by_text("已停用本地模板").wait_for()
    page.goto(f"{live_city}/desk/ledgers/facilities/{place.pk}")
    page.get_by_label("生成文书").select_option("place-sheet.pdf")
    page.get_by_role("button", name="生成", exact=True).click()
    part(page, "文书").get_by_role("link", name=".pdf").click()
    page.locator(".file-sheet img").wait_for()


@pytest.mark.parametrize("username", ["jiezhen", "jigou", "guihua", "jumin"])
def test_templates_are_kept_by_managers_alone(page: Any, live_city: str, username: str) -> None:
    sign_in(page, live_city, username, "/account")
    assert page.goto(f"{live_city}/desk/templates").status == 403


@pytest.mark.parametrize("look", ["light", "dark"])
def test_panel_and_template_pages_are_for_everybody(open_page: Any, live_city: str, look: str) -> None:
    place = place_in_huangpu()
    for width in (390, 1440):
        page = open_page(width, 844, color_scheme=look)
        sign_in(page, live_city, "qu", f"/desk/files/of/facilities/{place.pk}")
        for path in (
            f"/desk/files/of/facilities/{place.pk}",
            "/desk/templates",
            "/desk/templates/place-sheet",
            "/help/files",
        ):
            page.goto(f"{live_city}{path}")
            assert faults_of(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width
