"""Files kept of people, below one folder: put there whole or not at all, read as streams, never by their path.

By itself a file is kept as it is; ``services.crypto`` registers a keeper that seals. Who keeps files declares the folder in a
``kept.py`` as ``KEPT``, a tuple of ``KeptFolder``; where a tool needs a path, ``plain_copy`` gives one for a moment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from django.conf import settings

from geo.declared import declarations

MODE: Final = 0o640
CHUNK: Final = 1 << 18
INCOMING: Final = "incoming"
PLAIN: Final = "content"
"""What the plain copy of a file is called."""


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A folder of kept files. ``named`` yields the names below it that rows name; what is ``drawn`` can be made again."""

    key: str
    title: str
    named: Callable[[], Iterable[str]]
    drawn: bool = False

    @property
    def path(self) -> Path:
        """Return where the folder lies, whether it is there or not."""
        return Path(settings.MEDIA_ROOT) / self.key

    def files(self) -> Iterator[Path]:
        """Yield the files that lie in it, in the order of their paths."""
        found = (path for path in self.path.rglob("*") if path.is_file())
        yield from sorted(path for path in found if INCOMING not in path.relative_to(self.path).parts)


class Keeper(Protocol):
    """Who writes and reads kept files."""

    def write(self, plain: BinaryIO, out: BinaryIO, target: Path) -> None:
        """Write to ``out`` what is to lie at ``target``."""
        ...

    def open(self, path: Path) -> BinaryIO:
        """Return the plain content as a stream that can be sought. Raises ``FileNotFoundError``."""
        ...


class PlainKeeper:
    """Keeps files as they are."""

    def write(self, plain: BinaryIO, out: BinaryIO, target: Path) -> None:
        """See ``Keeper``."""
        shutil.copyfileobj(plain, out, CHUNK)

    def open(self, path: Path) -> BinaryIO:
        """See ``Keeper``."""
        return path.open("rb")


_keeper: list[Keeper] = [PlainKeeper()]


def kept_by(keeper: Keeper) -> None:
    """Let a keeper write and read from now on."""
    _keeper[:] = [keeper]


def keep_file(plain: Path, target: Path) -> None:
    """Keep what a file holds at ``target`` below ``MEDIA_ROOT``; when this returns, it survives a power cut.

    A file that is there already is replaced. Where the source lies and what becomes of it is the caller's.
    """
    with plain.open("rb") as content:
        keep_stream(content, target)


def keep_stream(content: BinaryIO, target: Path) -> None:
    """Keep what a stream holds, as ``keep_file`` does."""
    waiting = Path(settings.MEDIA_ROOT) / INCOMING
    waiting.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=waiting)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            _keeper[0].write(content, out, target)
            out.flush()
            os.fsync(out.fileno())
        draft.chmod(MODE)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    folder = target.parent
    while folder.is_relative_to(settings.MEDIA_ROOT):
        _sync_folder(folder)
        folder = folder.parent


def open_file(path: Path) -> BinaryIO:
    """Return the content of a kept file as a stream that can be sought.

    Raises ``FileNotFoundError``, ``Conflict`` for one that was altered, ``Unavailable`` while its key is not there.
    """
    return _keeper[0].open(path)


@contextmanager
def plain_copy(path: Path) -> Iterator[Path]:
    """Give a tool that needs a path the content of a kept file, in a folder of its own that goes when the work ends."""
    with tempfile.TemporaryDirectory(prefix="quantu-plain-") as folder:
        copy = Path(folder) / PLAIN
        with open_file(path) as content, copy.open("xb") as out:
            shutil.copyfileobj(content, out, CHUNK)
        yield copy


def kept_folders() -> tuple[KeptFolder, ...]:
    """Return every declared folder, in the order of the applications."""
    return tuple(declarations("kept", "KEPT"))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
