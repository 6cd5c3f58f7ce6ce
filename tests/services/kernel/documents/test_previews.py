"""Previews: pages as images drawn once, the beginning of texts and sheets, and files that cannot be shown."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from geo.errors import BadInput, NotFound
from services.kernel.documents.actions import attach_file
from services.kernel.documents.previewing.apart import LONGEST, MOST_COLUMNS, MOST_ROWS
from services.kernel.documents.previews import Size, page_image, pages_of, reading_of
from services.kernel.documents.queries import Held
from tests.services.kernel.documents.conftest import KEEPER
from tests.services.kernel.documents.files import pdf, picture, plain_of, sheet, word

Upload = Callable[[bytes], Path]
pytestmark = pytest.mark.django_db


def attach(upload: Upload, data: bytes, name: str) -> Held:
    return attach_file(kind="thing", owner_id="1", purpose="paper", source=upload(data), name=name, scope=KEEPER)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(plain_of(path))) as image:
        assert image.format == "WEBP"
        return image.size


def test_a_page_is_drawn_as_wide_as_asked_and_once(upload: Upload) -> None:
    held = attach(upload, pdf(pages=2), "a.pdf")
    assert pages_of(held) == 2
    first = page_image(held, page=2, size=Size.FIT)
    assert size_of(first) == (1000, 1500)
    assert size_of(page_image(held, page=2, size=Size.THUMB)) == (240, 360)
    drawn_at = first.stat().st_mtime_ns
    assert page_image(held, page=2, size=Size.FIT).stat().st_mtime_ns == drawn_at
    for page in (0, 3, -1):
        with pytest.raises(NotFound):
            page_image(held, page=page, size=Size.FIT)


def test_a_page_as_long_as_a_street_is_drawn_within_bounds(upload: Upload) -> None:
    def longest(document: object) -> None:
        document.pages[0].MediaBox = [0, 0, 100, 14_000]  # type: ignore[attr-defined]

    held = attach(upload, pdf(longest), "long.pdf")
    assert max(size_of(page_image(held, page=1, size=Size.HUGE))) <= 4000


def test_a_picture_is_never_made_larger(upload: Upload) -> None:
    held = attach(upload, picture("PNG", (300, 200)), "a.png")
    assert size_of(page_image(held, page=1, size=Size.HUGE)) == (300, 200)
    assert size_of(page_image(held, page=1, size=Size.THUMB)) == (240, 160)


def test_a_text_and_each_sheet_begin_as_they_are(upload: Upload) -> None:
    held = attach(upload, word("第一段", "", "字" * 600), "a.docx")
    blocks = reading_of(held, page=1).blocks
    assert [block["text"] for block in blocks] == ["第一段", "字" * LONGEST]
    rows = [["名称", 12, 1.5], *[[f"行{at}"] for at in range(MOST_ROWS + 50)]]
    table = reading_of(attach(upload, sheet(rows), "a.xlsx"), page=1)
    assert table.pages == ["名单"]
    assert table.blocks[0]["rows"][0] == ["名称", "12", "1.5"]
    assert len(table.blocks[0]["rows"]) == MOST_ROWS
    assert table.cut
    wide = reading_of(attach(upload, sheet([list(range(60))]), "b.xlsx"), page=1)
    assert wide.blocks[0]["rows"][0] == [str(at) for at in range(MOST_COLUMNS)]
    assert wide.cut
    with pytest.raises(BadInput):
        reading_of(held=attach(upload, sheet([["x"]]), "c.xlsx"), page=2)


def test_markup_in_cells_stays_text(upload: Upload) -> None:
    attack = "<script>alert(1)</script>"
    held = attach(upload, sheet([[attack]]), "a.xlsx")
    assert reading_of(held, page=1).blocks[0]["rows"] == [[attack]]


def test_a_content_that_is_gone_says_so(upload: Upload) -> None:
    held = attach(upload, pdf(), "a.pdf")
    held.path.unlink()
    with pytest.raises(NotFound, match="从备份恢复"):
        page_image(held, page=1, size=Size.FIT)


def test_a_content_that_was_spoiled_is_refused_and_leaves_no_drawing(upload: Upload, media: Path) -> None:
    held = attach(upload, pdf(), "a.pdf")
    held.path.write_bytes(b"%PDF-1.7 spoiled")
    with pytest.raises(BadInput, match="读不出来"):
        page_image(held, page=1, size=Size.FIT)
    assert [path for path in (media / "previews").rglob("*") if path.is_file()] == []
