"""A Word file to begin a template with: the title, and every field in its tag with what it holds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.kernel.documents.spec import TemplateSpec

if TYPE_CHECKING:
    from docx.document import Document


def starting_text(spec: TemplateSpec) -> bytes:
    """Return a Word template with all fields of a declaration, lists as tables whose rows repeat."""
    import docx  # slow to import, and few need it

    document = docx.Document()
    document.add_heading(spec.title, level=1)
    for field in spec.fields:
        sample = spec.sample.get(field.name)
        if isinstance(sample, list):
            document.add_paragraph(f"{field.name}：")
            columns = list(sample[0]) if sample and isinstance(sample[0], Mapping) else []
            _repeating_table(document, field.name, columns)
        else:
            document.add_paragraph(f"{field.name}：{{{{{field.name}}}}}")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _repeating_table(document: Document, name: str, columns: list[str]) -> None:
    table = document.add_table(rows=4, cols=max(1, len(columns)), style="Table Grid")
    for at, column in enumerate(columns):
        table.cell(0, at).text = column
        table.cell(2, at).text = f"{{{{行.{column}}}}}"
    table.cell(1, 0).text = f"{{%tr for 行 in {name} %}}"
    table.cell(3, 0).text = "{%tr endfor %}"
