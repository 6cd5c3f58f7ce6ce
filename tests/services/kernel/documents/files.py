"""Files made byte by byte for the tests: honest ones of every type, and the tricks that must not pass."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docx
import pikepdf
import xlsxwriter
from PIL import Image

from geo.kept import open_file


def picture(
    format: str = "JPEG", size: tuple[int, int] = (64, 48), *, gps: bool = False, turned: bool = False
) -> bytes:
    """Return an image, red on its left half and blue on its right; with the place it was taken, or held sideways."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    exif = Image.Exif()
    if gps:
        exif[0x010F] = "PhoneMaker"
        exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 48.0), 3: "E", 4: (121.0, 28.0, 12.0)})
    if turned:
        exif[0x0112] = 6
    out = io.BytesIO()
    image.save(out, format=format, exif=exif.tobytes() if gps or turned else b"", comment=b"secret")
    return out.getvalue()


def pdf(change: Callable[[pikepdf.Pdf], None] | None = None, *, pages: int = 1, **saving: Any) -> bytes:
    """Return a PDF with empty pages, changed before it is saved."""
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page(page_size=(200, 300))
        if change:
            change(document)
        out = io.BytesIO()
        document.save(out, **saving)
        return out.getvalue()


def action(**entries: Any) -> Callable[[pikepdf.Pdf], None]:
    """Return a change that gives a PDF an action when it is opened."""

    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = pikepdf.Dictionary({f"/{key}": value for key, value in entries.items()})

    return change


def word(*lines: str) -> bytes:
    """Return a Word file of paragraphs."""
    document = docx.Document()
    for line in lines or ("正文",):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def sheet(rows: list[list[Any]] | None = None) -> bytes:
    """Return an Excel file of one sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet("名单")
        for at, row in enumerate(rows or [["名称", "数量"], ["苹果", 3]]):
            page.write_row(at, 0, row)
    return out.getvalue()


def repacked(
    data: bytes, changes: Mapping[str, bytes] = {}, *, then: Callable[[zipfile.ZipFile], None] | None = None
) -> bytes:  # noqa: B006
    """Return an archive with members replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for member in before.infolist():
            if member.filename not in changes:
                after.writestr(member.filename, before.read(member))
        for name, content in changes.items():
            after.writestr(name, content)
        if then:
            then(after)
    return out.getvalue()


def relationship(type: str, target: str = "http://example.com/x") -> bytes:
    """Return relationships with one target outside the file."""
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{type}"'
        f' Target="{target}" TargetMode="External"/></Relationships>'
    ).encode()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def body(inner: str) -> bytes:
    """Return the main part of a Word file."""
    return f"<w:document {W}><w:body>{inner}</w:body></w:document>".encode()


def plain_of(path: Path) -> bytes:
    """What a kept file is when it is opened."""
    with open_file(path) as content:
        return content.read()
