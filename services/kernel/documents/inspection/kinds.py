"""What a file is, by its first bytes; never by its name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from services.kernel.documents.reasons import Refused
from services.kernel.documents.spec import FileType

HEAD: Final = 4096
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEIF: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")
_ARCHIVES: Final = (b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


def type_of(path: Path) -> FileType:
    """Return the type of a file. Raises ``Refused`` for an empty, an unknown or a two-faced one."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise Refused("file_empty")
    if (image := _image(head)) is not None:
        return image
    if head.startswith(b"%PDF-"):
        if zipfile.is_zipfile(path):
            raise Refused("file_polyglot")
        return FileType.PDF
    if head.startswith(b"PK\x03\x04"):
        return _office(path, head)
    raise Refused(_why_unknown(head))


def _image(head: bytes) -> FileType | None:
    if head.startswith(b"\xff\xd8\xff"):
        return FileType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileType.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileType.WEBP
    return None


def _why_unknown(head: bytes) -> str:
    if head.startswith(_OLD_OFFICE):
        return "file_old_office"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "file_heic"
    if head.startswith(_ARCHIVES):
        return "file_archive"
    # Readers of PDF look for its mark within the first kilobyte: what stands before it is another file.
    return "file_polyglot" if b"%PDF-" in head[:1024] else "file_unknown"


def _office(path: Path, head: bytes) -> FileType:
    if b"%PDF-" in head[:1024]:
        raise Refused("file_polyglot")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise Refused("file_broken") from fault
    if "[Content_Types].xml" in names:
        if "word/document.xml" in names:
            return FileType.DOCX
        if "xl/workbook.xml" in names:
            return FileType.XLSX
    raise Refused("file_archive")
