"""Previews of attachments: pages and pictures as images kept sealed as the contents are, the beginning of other files as text."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from geo.errors import NotFound
from geo.kept import keep_file, plain_copy
from services.kernel.documents.apart import ask_apart
from services.kernel.documents.queries import Held
from services.kernel.documents.reasons import Refused, refusal
from services.kernel.documents.spec import IMAGES, FileType
from services.kernel.documents.store import previews_folder

MODULE: Final = "services.kernel.documents.previewing.apart"
DRAWN: Final = IMAGES | {FileType.PDF}
EDITION: Final = 2
"""Raised when pages are drawn otherwise, so that no older drawing is taken for a new one."""


class Size(StrEnum):
    """How large a page is drawn."""

    THUMB = "thumb"
    FIT = "fit"
    LARGE = "large"
    HUGE = "huge"

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return {"thumb": 240, "fit": 1000, "large": 1600, "huge": 2600}[self.value]


@dataclass(frozen=True, slots=True)
class Reading:
    """The beginning of a Word or Excel file: paragraphs and tables, names of sheets, whether something was left out."""

    blocks: list[dict[str, Any]]
    pages: list[str]
    cut: bool


def page_image(held: Held, *, page: int, size: Size) -> Path:
    """Return the kept WebP image of a page of a PDF (from 1) or of a picture, drawn when it is asked for first.

    Raises ``NotFound`` for a page that is not there, ``BadInput`` or ``TooLarge`` when it cannot be drawn.
    """
    if held.type not in DRAWN or not 0 < page <= pages_of(held):
        raise NotFound("page_unknown", "没有这一页。")
    digest = held.row.sha256
    kept = previews_folder() / digest[:2] / f"{digest}-{EDITION}-{page}-{size}.webp"
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(prefix="quantu-page-") as folder:
        target = Path(folder) / "page"
        _ask(held, page=page, width=size.width, target=str(target))
        keep_file(target, kept)
    return kept


def pages_of(held: Held) -> int:
    """Return how many pages a file has, as far as it has pages."""
    return int(held.row.facts.get("pages", 1))


def reading_of(held: Held, *, page: int) -> Reading:
    """Return the beginning of a Word file, or of one sheet (from 1) of an Excel file. Raises ``BadInput``, ``TooLarge``."""
    return Reading(**_ask(held, page=page))


def _ask(held: Held, **asked: Any) -> dict[str, Any]:
    if not held.path.exists():
        raise NotFound("content_missing", "这个文件的内容不见了。请联系管理员从备份恢复。")
    try:
        with plain_copy(held.path) as source:
            return ask_apart(MODULE, {"source": str(source), "type": held.type.value, **asked})
    except Refused as refused:
        raise refusal(refused.code, found=refused.found) from refused
