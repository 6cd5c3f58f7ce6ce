"""Contents on disk, sealed: one file for each digest of the plain content, in folders of its first signs, written whole or not.

A path holds nothing that a person wrote. Two rows with the same content name the same file; ``contents.sweep`` alone deletes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from geo.kept import CHUNK, keep_file, open_file


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


def kept_digest(path: Path) -> str:
    """Return the SHA-256 of what a kept content is when it is plain. Raises ``Conflict`` for one that was altered."""
    digest = hashlib.sha256()
    with open_file(path) as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def incoming() -> Iterator[Path]:
    """Give a folder for plain contents to write in before ``keep``; it goes when the work ends."""
    with tempfile.TemporaryDirectory(prefix="quantu-incoming-") as folder:
        yield Path(folder)


def keep(file: Path) -> str:
    """Keep the content of a file under its digest, and return that; when this returns, the content survives a power cut."""
    digest = digest_of(file)
    # In the place of an equal one too: the new time tells the sweep that somebody is about to name it.
    keep_file(file, path_of(digest))
    return digest


def kept() -> Iterator[Path]:
    """Yield every content that lies in the store."""
    yield from contents_folder().glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")
