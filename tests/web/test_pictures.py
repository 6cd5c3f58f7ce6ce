"""A sheet that a page drew becomes a PDF of its paper, its words real text; what else is sent is refused in words, nothing is kept."""

from __future__ import annotations

import io
import itertools
import json
import struct
import zlib
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from web.doors.maps.pictures import DOTS, PAPERS_MM

pytestmark = pytest.mark.django_db
CALLERS = itertools.count(1)


def png(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", (width, height), (18, 87, 184, 255)).save(made, "PNG")
    return made.getvalue()


def sent(content: bytes | None, paper: str = "a4-wide", title: str = "养老床位", words: str | None = None) -> Any:
    body: dict[str, object] = {"title": title, "paper": paper}
    if words is not None:
        body["words"] = words
    if content is not None:
        body["picture"] = SimpleUploadedFile("map.png", content, "image/png")
    caller = {"host": "localhost", "X-Real-IP": f"198.51.100.{next(CALLERS)}"}
    return Client(headers=caller).post("/pictures", body)


@pytest.mark.parametrize("paper", sorted(PAPERS_MM))
def test_a_sheet_becomes_a_page_of_its_paper(paper: str) -> None:
    sides = PAPERS_MM[paper]
    answer = sent(png(*(round(side / 25.4 * DOTS) for side in sides)), paper)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        assert len(document.pages) == 1
        box = [float(edge) for edge in document.pages[0].mediabox]
        assert [round(edge / 72 * 25.4) for edge in box[2:]] == list(sides)
        assert str(document.docinfo["/Title"]) == "养老床位"


def bomb() -> bytes:
    """Return the head of a picture of 60,000 by 60,000 dots."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    ("content", "paper", "code"),
    [
        (None, "a4-wide", "picture_missing"),
        (b"<svg/>", "a4-wide", "picture_invalid"),
        (png(10, 10), "a4-wide", "picture_invalid"),
        (png(1754, 1240)[:900], "a4-wide", "picture_invalid"),
        (bomb(), "a4-wide", "picture_invalid"),
        (png(1754, 1240), "a4-high", "picture_invalid"),
        (png(1754, 1240), "a0", "paper_unknown"),
    ],
    ids=["nothing", "not a picture", "too small", "cut off", "bomb", "other paper", "no such paper"],
)
def test_what_is_no_sheet_is_refused_in_words(content: bytes | None, paper: str, code: str) -> None:
    answer = sent(content, paper)
    assert answer.status_code == 400
    assert code in answer.content.decode()


def test_a_title_is_text_and_no_path() -> None:
    answer = sent(png(1754, 1240), title="../../浦东\r\nX-Evil: 1 " + "长" * 200)
    assert answer.status_code == 200
    assert "X-Evil" not in answer.headers
    assert "/" not in answer["Content-Disposition"].partition("filename")[2].replace("utf-8''", "").replace("%2F", "/")


def line(text: str, **others: object) -> dict[str, object]:
    drawn = {"x": 59.0, "y": 100.0, "size": 37.5, "wide": 1_600.0, "bold": False, "align": "left", "colour": "#16202b"}
    return {"text": text, **drawn, **others}


def page_of(content: bytes) -> pypdfium2.PdfPage:
    return pypdfium2.PdfDocument(content)[0]


def box_of(content: bytes, text: str) -> tuple[float, ...]:
    """Return left, bottom, right and top of a text of a page in points."""
    words = page_of(content).get_textpage()
    at = words.search(text).get_next()
    assert at is not None, text
    boxes = [words.get_charbox(at[0] + number) for number in range(len(text))]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


TITLE, NOTE = "前三位占全市的 61%：崇明、金山、奉贤", "上海市 · 余位超 30 天未确认（处）· 现状"
FOOT = "2026年11月23日 · 来源：机构确认余位的记录 · © OpenStreetMap · 审图号：待填"


def test_words_are_text_where_they_stood() -> None:
    words = [
        line(TITLE, bold=True),
        line(NOTE, y=150.0, size=20.0),
        line("<8 #set page()", y=900.0, size=20.0, x=1_700.0, align="right"),
        line(FOOT, y=1_200.0, size=20.0, colour="#45505d"),
    ]
    answer = sent(png(1754, 1240), title=TITLE, words=json.dumps(words))
    assert answer.status_code == 200
    text = page_of(answer.content).get_textpage().get_text_range()
    for said in (TITLE, NOTE, "<8 #set page()", FOOT):
        assert said in text
    point = 72 / DOTS
    left, low, _, high = box_of(answer.content, TITLE)
    assert abs(left - 59 * point) < 3
    assert low < 595.3 - 100 * point < high  # its middle, from below
    _, _, right, _ = box_of(answer.content, "page()")
    assert abs(right - 1_700 * point) < 3
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        assert len(document.pages) == 1
        files = [one for one in document.objects if isinstance(one, pikepdf.Dictionary) and "/FontFile3" in one]
        names = {str(one.FontName) for one in files}
        assert any("NotoSansCJK" in name and "Bold" in name for name in names), names
        assert any("NotoSansCJK" in name and "Regular" in name for name in names), names
        assert (
            sum(len(one.FontFile3.read_raw_bytes()) for one in files) < 200_000
        )  # the signs that are used, not the whole font
        assert [round(float(edge) / 72 * 25.4) for edge in document.pages[0].mediabox][2:] == [297, 210]


def test_words_stand_over_the_picture() -> None:
    dark = sent(png(1754, 1240), words=json.dumps([line("测" * 10, size=100.0, y=600.0, colour="#ffffff")]))
    drawn = page_of(dark.content).render(scale=1).to_pil().convert("RGB")
    colours = {colour for _, colour in drawn.getcolors(maxcolors=2**20)}
    assert (255, 255, 255) in colours
    assert any(abs(blue - 184) < 4 and red < 30 for red, _, blue in colours)


def test_words_too_wide_for_their_place_are_drawn_narrower() -> None:
    answer = sent(png(1754, 1240), words=json.dumps([line("余位超三十天未确认的托育机构", size=40.0, wide=300.0)]))
    left, _, right, _ = box_of(answer.content, "余位超三十天未确认的托育机构")
    assert right - left <= 300 * 72 / DOTS + 1


@pytest.mark.parametrize(
    "words",
    [
        "[",
        '"图例"',
        json.dumps([line("")]),
        json.dumps([line("长" * 301)]),
        json.dumps([line("图例")] * 401),
        json.dumps([line("图例", x=1e9)]),
        json.dumps([line("图例", size=0)]),
        json.dumps([line("图例", colour="red")]),
        json.dumps([line("图例", align="middle")]),
        json.dumps([line("图例", font="/etc/passwd")]),
        '[{"text": "图例", "x": NaN, "y": 1, "size": 10, "wide": 10, "bold": false, "align": "left", "colour": "#000000"}]',
    ],
    ids=["cut off", "no list", "empty", "long", "many", "far", "no size", "colour", "align", "more", "no number"],
)
def test_what_is_no_writing_is_refused_in_words(words: str) -> None:
    answer = sent(png(1754, 1240), words=words)
    assert answer.status_code == 400
    assert "words_invalid" in answer.content.decode()


def test_signs_no_document_holds_are_left_out() -> None:
    answer = sent(png(1754, 1240), words=json.dumps([line("甲\u0000乙\ud800丙")]))
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert "甲乙丙" in page_of(answer.content).get_textpage().get_text_range()
