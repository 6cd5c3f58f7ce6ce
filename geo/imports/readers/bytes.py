"""The bytes of a file under limits: gzip opened, archives checked for hostile members, the encoding of text found."""

from __future__ import annotations

import codecs
import gzip
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from geo.imports.faults import SourceRefused

MOST_BYTES: Final = 1_000_000_000
MOST_EXPANSION: Final = 200
"""Text and coordinates shrink by some 5 to 20; nothing honest by more than this."""
FREE_EXPANSION: Final = 10_000_000
"""Below this size the ratio says nothing."""
MOST_MEMBERS: Final = 2_000
_CHUNK: Final = 1 << 20


def file_bytes(path: Path) -> bytes:
    """Return a file's bytes, opened when it is gzip; raises ``SourceRefused`` when it is cut short, broken or a bomb."""
    size = size_of(path)
    with path.open("rb") as file:
        head = file.read(2)
    if head != b"\x1f\x8b":
        return path.read_bytes()
    return _gunzip(path, max(FREE_EXPANSION, size * MOST_EXPANSION))


def size_of(path: Path) -> int:
    """Return the bytes of a file; raises ``SourceRefused`` when it is missing or too large."""
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise SourceRefused("file_missing", path.name) from fault
    if size > MOST_BYTES:
        raise SourceRefused("file_too_large", f"{path.name}，{size // 1_000_000} MB")
    return size


def _gunzip(path: Path, most: int) -> bytes:
    chunks, total = [], 0
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                total += len(chunk)
                if total > min(most, MOST_BYTES):
                    raise SourceRefused("archive_bomb", path.name)
                chunks.append(chunk)
    except EOFError as fault:
        raise SourceRefused("file_truncated", path.name) from fault
    except (gzip.BadGzipFile, zlib.error) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    return b"".join(chunks)


def checked_zip(path: Path, *, most_members: int = MOST_MEMBERS) -> zipfile.ZipFile:
    """Open an archive whose members are all plain files inside it and do not expand beyond reason."""
    size = size_of(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as fault:
        raise SourceRefused("file_truncated", path.name) from fault
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > most_members or total > min(MOST_BYTES, max(FREE_EXPANSION, size * MOST_EXPANSION)):
        archive.close()
        raise SourceRefused("archive_bomb", path.name)
    for member in members:
        if _unsafe(member):
            archive.close()
            raise SourceRefused("archive_unsafe", member.filename[:80])
    return archive


def members_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that somebody put there: not those in which a Mac keeps what it knows of each of them."""
    return [member for member in archive.infolist() if not _of_mac(PurePosixPath(member.filename.replace("\\", "/")))]


def _of_mac(name: PurePosixPath) -> bool:
    return "__MACOSX" in name.parts or name.name.startswith("._")


def _unsafe(member: zipfile.ZipInfo) -> bool:
    name = member.filename.replace("\\", "/")
    mode = member.external_attr >> 16
    parts = PurePosixPath(name).parts
    drive = len(name) > 1 and name[1] == ":"
    return name.startswith("/") or drive or ".." in parts or "\x00" in name or (mode != 0 and stat.S_ISLNK(mode))


def extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    """Write one checked member under its bare name; stops when it is longer than it said."""
    target = folder / PurePosixPath(member.filename.replace("\\", "/")).name
    left = member.file_size
    try:
        with archive.open(member) as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise SourceRefused("archive_bomb", member.filename[:80])
                sink.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as fault:
        raise SourceRefused("file_unreadable", member.filename[:80]) from fault
    return target


def text_of(data: bytes, name: str) -> tuple[str, str]:
    """Return (text, encoding): UTF-8 with or without mark, UTF-16 with one, else GB18030; raises when it is none of them."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise SourceRefused("encoding_unknown", name)
