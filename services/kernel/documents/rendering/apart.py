"""The child that works on templates: tells the fields of a Word template, or makes a document of a template and data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from services.kernel.documents.apart import answer_apart
from services.kernel.documents.rendering.layout import layout_of
from services.kernel.documents.rendering.typesetting import typeset
from services.kernel.documents.rendering.words import fields_used, fill

_WORD_LAYOUT: Final = Path(__file__).with_name("word.typ")


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the template ``source``, or with a ``format`` write the document to ``target``."""
    source = Path(request["source"])
    if "format" not in request:
        return {"fields": fields_used(source)}
    Path(request["target"]).write_bytes(_made(source, request))
    return {}


def _made(source: Path, request: dict[str, Any]) -> bytes:
    data, fonts = request["data"], Path(request["fonts"])
    if request["kind"] == "typ":
        return typeset(source, data, fonts)
    filled = fill(source, data)
    return filled if request["format"] == "docx" else typeset(_WORD_LAYOUT, layout_of(filled), fonts)


if __name__ == "__main__":
    answer_apart(work)
