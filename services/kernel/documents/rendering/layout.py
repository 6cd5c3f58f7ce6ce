"""The layout of a Word file as plain values, for typesetting it as PDF. Runs in the child only.

Kept: paper and margins, headings, alignment, bold, italic, underline, sizes, lists, tables with merged cells, header and footer.
Pictures and drawings are not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.table import CT_Row, CT_Tc
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

_ALIGNMENTS: Final = {
    WD_ALIGN_PARAGRAPH.CENTER: "center",
    WD_ALIGN_PARAGRAPH.RIGHT: "right",
    WD_ALIGN_PARAGRAPH.JUSTIFY: "left",
}
_A4: Final = (595.3, 841.9)
_MARGIN: Final = 72.0


def layout_of(data: bytes) -> dict[str, Any]:
    """Return the pages of a Word file: lengths in points, blocks in reading order."""
    document = docx.Document(io.BytesIO(data))
    section = document.sections[0]
    return {
        "paper": [_points(section.page_width, _A4[0]), _points(section.page_height, _A4[1])],
        "margins": {
            "left": _points(section.left_margin, _MARGIN),
            "right": _points(section.right_margin, _MARGIN),
            "top": _points(section.top_margin, _MARGIN),
            "bottom": _points(section.bottom_margin, _MARGIN),
        },
        "header": [_paragraph(one) for one in section.header.paragraphs if one.text.strip()],
        "footer": [_paragraph(one) for one in section.footer.paragraphs if one.text.strip()],
        "blocks": list(_blocks(document)),
    }


def _points(length: Any, otherwise: float) -> float:
    return round(float(length.pt), 1) if length is not None else otherwise


def _blocks(container: Document | _Cell) -> Iterator[dict[str, Any]]:
    for block in container.iter_inner_content():
        yield _paragraph(block) if isinstance(block, Paragraph) else _table(block)


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    heading = style.rpartition(" ")[2] if style.startswith("Heading") else ""
    return {
        "kind": "paragraph",
        "align": _ALIGNMENTS.get(paragraph.alignment, "left") if paragraph.alignment is not None else "left",
        "heading": 0 if style == "Title" else int(heading) if heading.isdecimal() else None,
        "listed": style.startswith("List"),
        "runs": [
            {
                "text": run.text,
                "bold": bool(run.bold),
                "italic": bool(run.italic),
                "underline": bool(run.underline),
                "size": round(float(run.font.size.pt), 1) if run.font.size is not None else None,
            }
            for run in paragraph.runs
            if run.text
        ],
    }


def _table(table: Table) -> dict[str, Any]:
    rows = list(table._tbl.tr_lst)
    cells = []
    for at, row in enumerate(rows):
        for cell in row.tc_lst:
            if cell.vMerge == "continue":
                continue
            cells.append(
                {
                    "column": cell.grid_offset,
                    "row": at,
                    "columns": cell.grid_span,
                    "rows": 1 + _merged_below(cell, rows[at + 1 :]),
                    "blocks": list(_blocks(_Cell(cell, table))),
                }
            )
    return {"kind": "table", "columns": max(1, len(table.columns)), "cells": cells}


def _merged_below(cell: CT_Tc, rows: list[CT_Row]) -> int:
    if cell.vMerge != "restart":
        return 0
    count = 0
    for row in rows:
        below = next((one for one in row.tc_lst if one.grid_offset == cell.grid_offset), None)
        if below is None or below.vMerge != "continue":
            break
        count += 1
    return count
