"""The file of a page of knowledge: which kinds are taken, that they are what they pretend to be and clean, and where they lie."""

from __future__ import annotations

import io
import secrets
import unicodedata
from pathlib import Path, PurePath
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile

from geo.errors import BadInput, Forbidden, TooLarge, Unavailable
from geo.kept import keep_stream, open_file
from services.integrations.scanning import ScannerUnavailable, Verdict, configured_scanner

MOST_BYTES: Final = 20 * 1024 * 1024
SCANNED_S: Final = 24 * 3600
"""How long a verdict holds: scanners learn."""
OFFICE: Final = b"PK\x03\x04"
KINDS: Final[dict[str, tuple[bytes, str]]] = {
    "pdf": (b"%PDF-", "application/pdf"),
    "docx": (OFFICE, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (OFFICE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pptx": (OFFICE, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "jpg": (b"\xff\xd8\xff", "image/jpeg"),
    "txt": (b"", "text/plain; charset=utf-8"),
    "md": (b"", "text/plain; charset=utf-8"),
}


class Kept(NamedTuple):
    """A file as it was kept: its place, the name people see, its size, and the text in it that can be searched."""

    place: str
    name: str
    size: int


def check_file(file: UploadedFile[bytes]) -> tuple[str, bytes]:
    """Return a file's kind and contents.

    Raises ``BadInput`` for a kind that is not taken, for contents that are not what the name says, and ``TooLarge``.
    """
    name = shown_name(file.name or "")
    kind = PurePath(name).suffix.lower().lstrip(".").replace("jpeg", "jpg")
    if kind not in KINDS:
        raise BadInput("file_kind", f"不收这种文件。可上传：{'、'.join(KINDS)}。")
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件最大 {MOST_BYTES // 1024 // 1024} MB。")
    data = file.read(MOST_BYTES + 1)
    if not data:
        raise BadInput("file_empty", "文件是空的，请重新选择。")
    begin, _ = KINDS[kind]
    if not data.startswith(begin) or (not begin and _text(data) is None):
        raise BadInput("file_disguised", f"文件内容不是 {kind}，请用原来的程序另存后再上传。")
    return kind, data


def keep_file(file: UploadedFile[bytes], *, owner: UUID) -> Kept:
    """Keep a checked file that the scanner found clean, under a name of our own which says nothing and repeats nothing.

    An older file of the same page stays where it is: a page that is brought back to an earlier version needs it. Raises
    ``BadInput`` for a virus, ``Unavailable`` while a scanner that is configured does not answer.
    """
    kind, data = check_file(file)
    if (verdict := _verdict_on(io.BytesIO(data))) is not None and not verdict.clean:
        raise BadInput("file_infected", f"这个文件里发现了病毒（{verdict.found}），没有保存。请换一份干净的再上传。")
    place = f"knowledge/{owner}/{secrets.token_hex(8)}.{kind}"
    keep_stream(io.BytesIO(data), path_of(place))
    return Kept(place, shown_name(file.name or ""), len(data))


def path_of(place: str) -> Path:
    """Return where a kept file lies, sealed."""
    return Path(settings.MEDIA_ROOT) / place


def check_openable(place: str) -> None:
    """Raise ``Forbidden`` for a kept file with a virus, or one nobody could scan where only scanned ones may be opened.

    Files that came before the scanner are scanned when they are opened; a verdict holds for a day.
    """
    key = f"scanned:{place}"
    found = cache.get(key)
    if found is None:
        try:
            with open_file(path_of(place)) as content:
                verdict = _verdict_on(content)
        except Unavailable:
            verdict = None
        if verdict is None:
            if not settings.OPEN_UNSCANNED:
                raise Forbidden("file_unscanned", "这个文件还没有查毒，查过以后才能打开。")
            return
        found = verdict.found
        cache.set(key, found, SCANNED_S)
    if found:
        raise Forbidden("file_infected", f"这个文件里发现了病毒（{found}），不能打开。请换一份干净的重新上传。")


def _verdict_on(content: BinaryIO) -> Verdict | None:
    """Return what the scanner says, none where there is no scanner. Raises ``Unavailable`` when it does not answer."""
    scanner = configured_scanner()
    if scanner is None:
        return None
    try:
        return scanner.scan(content)
    except ScannerUnavailable as fault:
        raise Unavailable(
            "scanner_unavailable", "查毒服务暂时没有回应，文件没有保存。请过几分钟再上传。", why=fault.why
        ) from fault


def shown_name(name: str) -> str:
    """Return a file's name without folders and control characters, at most 120 characters with its ending."""
    plain = PurePath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    plain = "".join(sign for sign in plain if unicodedata.category(sign)[0] != "C").strip()
    path = PurePath(plain or "file")
    return path.stem[: 120 - len(path.suffix)] + path.suffix


def kind_of(place: str) -> str:
    """Return the media type of a kept file."""
    return KINDS.get(PurePath(place).suffix.lstrip("."), (b"", "application/octet-stream"))[1]


def text_in(place: str) -> str:
    """Return the text of a kept plain-text file, '' for every other kind."""
    if PurePath(place).suffix not in {".txt", ".md"}:
        return ""
    with open_file(path_of(place)) as file:
        return _text(file.read()) or ""


def _text(data: bytes) -> str | None:
    if b"\x00" in data:
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
