"""PDF files: whole, open, and doing nothing by themselves. They are never rewritten, because that would break signatures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pikepdf
import pypdfium2

from services.kernel.documents.reasons import Refused

MOST_PAGES: Final = 500
MOST_OBJECTS: Final = 500_000
_TAIL: Final = 2048
_ACTIVE: Final = {
    "/JS": "脚本",
    "/JavaScript": "脚本",
    "/XFA": "动态表单",
    "/RichMedia": "多媒体",
    "/RichMediaContent": "多媒体",
    "/Rendition": "多媒体",
}
_ACTIVE_ACTIONS: Final = {
    "/JavaScript": "脚本",
    "/Launch": "启动程序",
    "/ImportData": "导入数据",
    "/SubmitForm": "提交数据",
    "/GoToR": "打开别的文件",
    "/GoToE": "打开别的文件",
    "/Rendition": "多媒体",
    "/Movie": "多媒体",
    "/Sound": "多媒体",
}
_ATTACHED: Final = frozenset({"/EmbeddedFiles", "/EF", "/AF"})
_ATTACHED_TYPES: Final = frozenset({"/EmbeddedFile", "/FileAttachment"})


def check_pdf(path: Path) -> dict[str, Any]:
    """Walk every object of a PDF and return its number of pages.

    Raises ``Refused`` for one that is encrypted, broken, carries files, or holds anything that runs, submits or opens files.
    Links to pages of the web stay: people follow those themselves.
    """
    _check_end(path)
    try:
        # What other readers would have to guess is refused: they might guess something else than we saw.
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                raise Refused("pdf_encrypted")
            pages = len(pdf.pages)
            _walk(pdf)
    except pikepdf.PasswordError as fault:
        raise Refused("pdf_encrypted") from fault
    except (pikepdf.PdfError, ValueError, RuntimeError) as fault:
        raise Refused("file_broken") from fault
    if not 0 < pages <= MOST_PAGES:
        raise Refused("pdf_too_many_pages" if pages else "file_broken")
    _check_drawable(path, pages)
    return {"pages": pages}


def _check_end(path: Path) -> None:
    """Refuse a file that goes on after its end: whatever follows is for another reader."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    _, found, after = tail.rpartition(b"%%EOF")
    if not found:
        raise Refused("file_broken")
    if after.strip(b"\r\n\t \x00"):
        raise Refused("file_polyglot")


def _walk(pdf: pikepdf.Pdf) -> None:
    seen = 0
    for top in (*pdf.objects, pdf.trailer):
        for dictionary in _dictionaries(top):
            seen += 1
            if seen > MOST_OBJECTS:
                raise Refused("file_exploded")
            _check(dictionary)


def _dictionaries(top: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield the dictionaries inside one object; what it refers to is an object of its own and comes by itself."""
    waiting = [top]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            waiting += [inner for inner in one if _direct(inner)]
        elif isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
            yield one
            waiting += [inner for _, inner in one.items() if _direct(inner)]


def _direct(value: Any) -> bool:
    return isinstance(value, (pikepdf.Array, pikepdf.Dictionary)) and not value.is_indirect


def _check(dictionary: pikepdf.Object) -> None:
    keys = set(dictionary.keys())
    if keys & _ATTACHED or _names(dictionary, "/Type", "/Subtype") & _ATTACHED_TYPES:
        raise Refused("pdf_attachments")
    if found := [_ACTIVE[key] for key in _ACTIVE if key in keys]:
        raise Refused("pdf_active", found[0])
    for name in _names(dictionary, "/S", "/Subtype"):
        if name in _ACTIVE_ACTIONS:
            raise Refused("pdf_active", _ACTIVE_ACTIONS[name])


def _names(dictionary: pikepdf.Object, *keys: str) -> set[str]:
    return {str(dictionary[key]) for key in keys if isinstance(dictionary.get(key), pikepdf.Name)}


def _check_drawable(path: Path, pages: int) -> None:
    """Let the engine that will draw it open it too, so that what was checked is what people see."""
    try:
        with pypdfium2.PdfDocument(path) as document:
            if len(document) != pages:
                raise Refused("file_broken")
            document[0].close()
    except pypdfium2.PdfiumError as fault:
        raise Refused("file_broken") from fault
