"""The child that draws one page of a file, or reads its text."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, Final

import docx
import pypdfium2
from docx.opc.exceptions import PackageNotFoundError
from docx.text.paragraph import Paragraph
from PIL import Image
from python_calamine import CalamineError, CalamineWorkbook

from services.kernel.documents.apart import answer_apart
from services.kernel.documents.reasons import Refused
from services.kernel.documents.spec import IMAGES, FileType

MOST_SIDE: Final = 4000
MOST_BLOCKS: Final = 400
MOST_ROWS: Final = 200
MOST_COLUMNS: Final = 30
LONGEST: Final = 500
"""Signs of one paragraph or cell that are shown."""


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Draw ``page`` of ``source``, ``width`` pixels wide at most, to ``target``; without a target read its text."""
    source, type = Path(request["source"]), FileType(request["type"])
    try:
        if "target" in request:
            picture = _picture(source, type, request["page"], request["width"])
            picture.save(request["target"], format="WEBP", quality=84)
            return {"width": picture.width, "height": picture.height}
        return _word(source) if type is FileType.DOCX else _sheet(source, request["page"])
    except (pypdfium2.PdfiumError, PackageNotFoundError, CalamineError, OSError, ValueError, KeyError) as fault:
        raise Refused("file_broken") from fault


def _picture(source: Path, type: FileType, page: int, width: int) -> Image.Image:
    if type in IMAGES:
        with Image.open(source) as image:
            image.load()
            picture = image.convert("RGBA" if "A" in image.getbands() else "RGB")
        picture.thumbnail((width, MOST_SIDE))
        return picture
    with pypdfium2.PdfDocument(source) as document:
        if not 0 < page <= len(document):
            raise Refused("file_broken")
        across, down = document[page - 1].get_size()
        scale = min(width / across, MOST_SIDE / down)
        drawn: Image.Image = document[page - 1].render(scale=scale, may_draw_forms=False).to_pil()
        return drawn.convert("RGB")


def _word(source: Path) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    inner = docx.Document(str(source)).iter_inner_content()
    for block in islice(inner, MOST_BLOCKS):
        if isinstance(block, Paragraph):
            style = (block.style.name if block.style is not None else "") or ""
            if block.text.strip():
                blocks.append({"text": block.text[:LONGEST], "heading": style.startswith(("Heading", "Title"))})
        else:
            rows = [[cell.text[:LONGEST] for cell in row.cells[:MOST_COLUMNS]] for row in block.rows[:MOST_ROWS]]
            blocks.append({"rows": rows})
    return {"blocks": blocks, "pages": ["正文"], "cut": next(inner, None) is not None}


def _sheet(source: Path, page: int) -> dict[str, Any]:
    book = CalamineWorkbook.from_path(str(source))
    names = book.sheet_names
    if not 0 < page <= len(names):
        raise Refused("file_broken")
    sheet = book.get_sheet_by_index(page - 1)
    rows = [] if sheet.start is None else list(islice(sheet.iter_rows(), MOST_ROWS + 1))
    cut = len(rows) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in rows)
    shown = [[_written(cell) for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    return {"blocks": [{"rows": shown}] if shown else [], "pages": names[:50], "cut": cut}


def _written(cell: object) -> str:
    """Return a cell as it is read on the sheet: a workbook keeps 12 as 12.0."""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return text[:LONGEST]


if __name__ == "__main__":
    answer_apart(work)
