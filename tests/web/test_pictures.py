"""A sheet that a page drew becomes a PDF of its paper; whatever else is sent is refused in words, and nothing is kept."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from web.doors.pictures import DOTS, PAPERS_MM

pytestmark = pytest.mark.django_db
CALLERS = itertools.count(1)


def png(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", (width, height), (18, 87, 184, 255)).save(made, "PNG")
    return made.getvalue()


def sent(content: bytes | None, paper: str = "a4-wide", title: str = "养老床位") -> object:
    body: dict[str, object] = {"title": title, "paper": paper}
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
