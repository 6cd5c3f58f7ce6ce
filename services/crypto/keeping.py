"""The keeper of files of this house: what is kept is sealed, what was kept plain before is still read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from geo.errors import Conflict
from geo.kept import KeptFolder, keep_file, kept_folders
from services.crypto.house import house_keys
from services.crypto.port import KeyService
from services.crypto.primitives import Tampered
from services.crypto.sealed_files import MAGIC, SealedReader, begins_sealed, read_head, renew_key, seal_stream


class SealingKeeper:
    """Keeps files sealed by the keys of the house."""

    def write(self, plain: BinaryIO, out: BinaryIO, target: Path) -> None:
        """See ``geo.kept.Keeper``. Raises ``Unavailable`` when the holder of the keys is not there."""
        seal_stream(plain, out, label=label_of(target), keys=house_keys())

    def open(self, path: Path) -> BinaryIO:
        """See ``geo.kept.Keeper``. Raises ``Conflict`` for a file that was altered, ``Unavailable`` without its key."""
        file = path.open("rb")
        try:
            if not begins_sealed(file.read(len(MAGIC))):
                file.seek(0)
                return file
            reader = _Reading(file, label=label_of(path), keys=house_keys())
        except BaseException as fault:
            file.close()
            if isinstance(fault, Tampered):
                raise _altered() from None
            raise
        return cast(BinaryIO, io.BufferedReader(reader, 1 << 16))


class _Reading(SealedReader):
    """Says in words for people that a piece was altered."""

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """See ``SealedReader``. Raises ``Conflict``."""
        try:
            return super().readinto(buffer)
        except Tampered:
            raise _altered() from None


def label_of(path: Path) -> str:
    """Return what a sealed file is bound to: where it lies below ``MEDIA_ROOT``. Raises ``ValueError`` for one that does not."""
    return path.relative_to(settings.MEDIA_ROOT).as_posix()


def key_of_file(path: Path) -> str:
    """Return the id of the key that sealed the data key of a file, '' for a plain file. Raises ``Conflict``."""
    with path.open("rb") as file:
        if not begins_sealed(file.read(len(MAGIC))):
            return ""
        try:
            return read_head(file).current[1].key_id
        except Tampered:
            raise _altered() from None


def renew_file(path: Path, *, keys: KeyService, newest: str) -> bool:
    """Seal a plain file where it lies, or the data key of a sealed one by the newest key; say whether there was need.

    Raises ``Conflict`` for a file that was altered.
    """
    known = key_of_file(path)
    if known == newest:
        return False
    if not known:
        before = path.stat()
        keep_file(path, path)
        os.utime(
            path, ns=(before.st_atime_ns, before.st_mtime_ns)
        )  # sweeps go by when it came, not by when it was sealed
        return True
    try:
        with path.open("r+b") as file:
            return renew_key(file, label=label_of(path), keys=keys, newest=newest)
    except Tampered:
        raise _altered() from None


def kept_files() -> Iterator[tuple[KeptFolder, Path]]:
    """Yield every kept file with the folder it is of, folder by folder, in the order of their paths."""
    for folder in kept_folders():
        for path in folder.files():
            yield folder, path


def _altered() -> Conflict:
    return Conflict("file_altered", "这个文件的内容核对不上，可能被改动过，已停止打开。请联系系统管理员从备份恢复。")
