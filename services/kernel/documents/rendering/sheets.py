"""Words on a sheet of paper: a transparent page with each line of text where it stands, its fonts embedded."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from django.conf import settings

from services.kernel.documents.apart import ask_apart
from services.kernel.documents.reasons import Refused, refusal
from services.kernel.documents.rendering.documents import MODULE, SECONDS, plain

_SHEET: Final = Path(__file__).with_name("sheet.typ")


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text: its left, middle or right end as ``align`` says at ``x``, its middle at ``y``, from the left upper corner.

    All in points. What would be wider than ``wide`` is drawn narrower. ``colour`` is written as #16202b.
    """

    text: str
    x: float
    y: float
    size: float
    wide: float
    bold: bool
    align: Literal["left", "center", "right"]
    colour: str


def words_as_pdf(paper: tuple[float, float], title: str, words: Sequence[Words]) -> bytes:
    """Return lines of text as one transparent page of a paper (width, height in points). Raises ``TooLarge``."""
    data = {
        "title": plain(title), "wide": paper[0], "high": paper[1],
        "words": [asdict(each) | {"text": plain(each.text)} for each in words],
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="quantu-sheet-") as folder:
        target = Path(folder) / "made"
        request = {
            "source": str(_SHEET), "kind": "typ", "format": "pdf", "data": data, "fonts": str(settings.DOCUMENT_FONTS),
            "target": str(target),
        }  # fmt: skip
        try:
            ask_apart(MODULE, request, seconds=SECONDS)
        except Refused as refused:
            raise refusal(refused.code, found=refused.found) from refused
        return target.read_bytes()
