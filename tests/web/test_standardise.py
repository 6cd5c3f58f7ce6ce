"""The tool page for lists, where a browser adds nothing: limits, strange choices, and what a form may not break."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from geo.errors import TooMany
from web.doors.addresses import standardise

pytestmark = pytest.mark.usefixtures("city")
PAGE = "/tools/standardise"


def post(client: Client, expected: int = 200, **data: Any) -> str:
    answer = client.post(PAGE, data)
    assert answer.status_code == expected, answer.content.decode()[:500]
    return str(answer.content.decode())


def marked(text: str) -> str:
    return standardise.mark_of([line.split("\t") for line in text.splitlines()])


@pytest.mark.parametrize(
    "choice",
    [
        {"address": "99"}, {"address": "-1"}, {"address": "１"}, {"address": "x"}, {"address": "parts"}, {"district": "7"},
        {"header": "1"}, {"header": "9"}, {"status": "nonsense"}, {"page": "99999"}, {"page": "x"}, {"crs": "mars"}, {"address": "9" * 400},
    ],
)  # fmt: skip
def test_choices_nobody_offered_break_nothing(client: Client, choice: dict[str, str]) -> None:
    text = "甲\t无此名路5号\n乙\t无此名路7号"
    page = post(client, text=text, of=marked(text), **choice)
    assert f"{1 if 'header' in choice else 2} 行已读" in page


def test_a_title_above_the_names_of_columns(client: Client) -> None:
    text = "2026年名单\n序号\t地址\n1\t无此名路5号"
    page = post(client, text=text)
    assert "1 行已读" in page
    assert '<option value="2" selected>第 2 行：序号、地址</option>' in page
    assert "3 行已读" in post(client, text=text, of=marked(text), address="1", header="")


def test_a_choice_made_for_another_list_does_not_count(client: Client) -> None:
    page = post(client, text="无此名路5号\t甲\n无此名路7号\t乙", of=marked("别的\t名单"), address="1")
    assert page.count("上海市无此名路") == 2


def test_markup_in_a_list_is_text(client: Client) -> None:
    page = post(client, text="<script>alert(1)</script>\n{{ 7*7 }}无此名路5号</textarea><b>")
    assert "<script>alert" not in page
    assert "</textarea><b>" not in page


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "还没有内容"),
        ({"text": " \n\t\n"}, "还没有内容"),
        ({"text": "无此名路5号\n" * 5_001}, "5,000 行"),
        ({"text": "路" * 320_000}, "1 MB"),
        ({"text": "路" * 400_000}, "1 MB"),
        ({"file": SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0rest")}, "另存为 .xlsx"),
    ],
    ids=["nothing", "blanks", "rows", "wide", "wider", "old"],
)
def test_what_the_page_cannot_take_is_said_in_words(client: Client, data: dict[str, Any], said: str) -> None:
    assert said in post(client, 400, **data)


def test_the_csv_of_plain_lines_has_the_text_beside_the_result(client: Client) -> None:
    answer = client.post(PAGE, {"text": "无此名路5号\n\n无此名路7号", "download": "csv", "crs": "sh2000"})
    assert answer["Content-Disposition"] == 'attachment; filename="quantu-addresses.csv"'
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["原文"], row["行号"]) for row in table] == [("无此名路5号", "1"), ("", "2"), ("无此名路7号", "3")]


def test_one_caller_may_ask_so_often(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def allow_request(self, request: object) -> bool:
            raise TooMany("too_many_requests", "请求太频繁，请 9 秒后再试。", retry_after=9)

    monkeypatch.setattr(standardise, "HEAVY", Full())
    assert "请求太频繁" in post(client, 429, text="无此名路5号")
    assert client.get(PAGE).status_code == 200
