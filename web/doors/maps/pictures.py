"""Pictures of maps on paper: a sheet that a page drew and the words on it, as PDF. Nothing of it is kept."""

from __future__ import annotations

import io
import warnings
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from geo.errors import BadInput, TooLarge
from services.kernel.documents.rendering.sheets import Words, words_as_pdf
from web.api.limits import PICTURES

DOTS: Final = 150
"""Dots an inch at which pages draw their sheets."""
PAPERS_MM: Final = {"a4-wide": (297, 210), "a4-high": (210, 297), "a3-wide": (420, 297)}
MOST_BYTES: Final = 24 * 2**20
LONGEST_TITLE: Final = 80
MOST_WORDS: Final = 400
LONGEST_WORDS: Final = 300

Dots = Annotated[float, Field(ge=-500, le=5_000, allow_inf_nan=False)]


class Written(BaseModel):
    """A line of words that a page wrote, in dots of its sheet."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(..., min_length=1, max_length=LONGEST_WORDS)
    x: Dots
    y: Dots
    size: float = Field(..., ge=4, le=200, allow_inf_nan=False)
    wide: float = Field(..., gt=0, le=5_000, allow_inf_nan=False)
    bold: bool
    align: Literal["left", "center", "right"]
    colour: str = Field(..., pattern=r"^#[0-9a-f]{6}$")


_ALL_WRITTEN: Final = TypeAdapter(Annotated[list[Written], Field(max_length=MOST_WORDS)])


@never_cache
@require_POST
def pdf(request: HttpRequest) -> HttpResponse:
    """Return a sheet that a page drew, with its words, as a PDF of its paper. Raises what is wrong with it, in words."""
    PICTURES.allow_request(request)
    title = " ".join(request.POST.get("title", "").split())[:LONGEST_TITLE] or "地图"
    paper = PAPERS_MM.get(request.POST.get("paper", ""))
    if paper is None:
        raise BadInput("paper_unknown", "没有这种纸张，请重新打开页面再试。", parameter="paper")
    words = words_of(request.POST.get("words", "[]"))
    made = pdf_of(sheet_of(request.FILES.get("picture"), paper), title, words)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = (
        content_disposition_header(True, f"{title.replace('/', '／')}.pdf") or "attachment"
    )
    return response


def words_of(text: str) -> list[Words]:
    """Return the words of a sheet (JSON, in dots) in points. Raises ``BadInput``."""
    try:
        written = _ALL_WRITTEN.validate_json(text)
    except ValidationError as fault:
        raise BadInput(
            "words_invalid", "收到的文字不是地图上的，请在地图上再点一次“存为 PDF”。", parameter="words"
        ) from fault
    point = 72 / DOTS
    return [
        Words(
            each.text, each.x * point, each.y * point, each.size * point, each.wide * point, each.bold, each.align, each.colour
        )
        for each in written
    ]  # fmt: skip


def sheet_of(file: Any, paper: tuple[int, int]) -> Image.Image:
    """Return an uploaded file (or ``None``) as the PNG of a sheet of paper; its head is read before any of it is unpacked."""
    if file is None:
        raise BadInput("picture_missing", "没有收到图片，请在地图上再点一次“存为 PDF”。", parameter="picture")
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("picture_too_large", "图片太大，请换小一点的纸张。", most=MOST_BYTES)
    wrong = BadInput("picture_invalid", "收到的不是地图的图片，请在地图上再点一次“存为 PDF”。", parameter="picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=["PNG"])
            expected = tuple(side / 25.4 * DOTS for side in paper)
            if any(abs(side - right) > 2 for side, right in zip(picture.size, expected, strict=True)):
                raise wrong
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise wrong from fault


def pdf_of(sheet: Image.Image, title: str, words: list[Words]) -> bytes:
    """Return a sheet with words over it as a PDF of one page: the words are text, what was drawn is a picture below."""
    import pikepdf  # slow to import, and few need it

    drawn, made = io.BytesIO(), io.BytesIO()
    sheet.save(drawn, "PDF", resolution=DOTS, quality=92)
    with pikepdf.open(drawn) as document:
        page = document.pages[0]
        if words:
            wide, high = (float(side) for side in page.mediabox[2:])
            with pikepdf.open(io.BytesIO(words_as_pdf((wide, high), title, words))) as over:
                page.add_overlay(over.pages[0], pikepdf.Rectangle(0, 0, wide, high))
        document.docinfo["/Title"] = title  # Pillow writes some Chinese characters as others
        document.docinfo["/Creator"] = document.docinfo["/Producer"] = "圈图"
        document.Root["/Lang"] = "zh-CN"
        document.save(made)
    return made.getvalue()


ROUTES = [path("pictures", pdf, name="pictures")]
