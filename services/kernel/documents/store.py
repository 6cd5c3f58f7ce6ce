"""Contents on disk: one file for each digest, in folders of its first signs, written whole or not at all.

A path holds nothing that a person wrote. Two rows with the same content name the same file; ``contents.sweep`` alone deletes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

_CHUNK: Final = 1 << 20
MODE: Final = 0o640


def contents_folder() -> Path:
    """Return the folder of all contents."""
    return Path(settings.MEDIA_ROOT) / "attachments"


def previews_folder() -> Path:
    """Return the folder of drawn pages; everything in it can be drawn again."""
    return Path(settings.MEDIA_ROOT) / "previews"


def path_of(digest: str) -> Path:
    """Return where the content of a digest lies, whether it is there or not. Raises ``ValueError`` for what is no SHA-256."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError("not a digest")
    return contents_folder() / digest[:2] / digest[2:4] / digest


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def incoming() -> Iterator[Path]:
    """Give a folder on the disk of the contents to write in before ``keep``; it goes when the work ends."""
    waiting = contents_folder() / "incoming"
    waiting.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=waiting) as folder:
        yield Path(folder)


def keep(file: Path) -> str:
    """Move a file of ``incoming`` to its place and return its digest; when this returns, the content survives a power cut."""
    digest = digest_of(file)
    target = path_of(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.chmod(MODE)
    # In the place of an equal one too: the new time tells the sweep that somebody is about to name it.
    file.replace(target)
    for folder in (target.parent, target.parent.parent, contents_folder()):
        _sync_folder(folder)
    return digest


def kept() -> Iterator[Path]:
    """Yield every content that lies in the store."""
    yield from contents_folder().glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
