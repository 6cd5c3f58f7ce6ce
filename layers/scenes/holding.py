"""The kept files of scenes: an upload as it came while it is read, then its files one after the other."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.apps import apps
from django.db import transaction

from geo.kept import KeptFolder, open_file


def _files() -> Iterator[str]:
    rows = apps.get_model("scenes", "ScenePackage")._default_manager.only("pk", "state")
    for one in rows.iterator():
        if one.state == "reading":
            yield upload_of(one).name
        elif one.state == "ready":
            yield whole_of(one).name


FOLDER = KeptFolder("scenes", "三维模型文件", _files)


def upload_of(package: Any) -> Path:
    """Return where the upload of a package lies until it is read."""
    return FOLDER.path / f"{package.pk}-upload.bin"


def whole_of(package: Any) -> Path:
    """Return where the files of a package lie one after the other."""
    return FOLDER.path / f"{package.pk}.bin"


def let_go(instance: Any, **_: Any) -> None:
    """Delete what is kept of a package that is gone, once that is sure."""
    for path in (upload_of(instance), whole_of(instance)):
        transaction.on_commit(partial(path.unlink, missing_ok=True))


def open_piece(path: Path, offset: int, size: int) -> BinaryIO:
    """Return some bytes of a kept file as a stream of their own. Raises as ``geo.kept.open_file``."""
    return cast(BinaryIO, io.BufferedReader(_Piece(open_file(path), offset, size)))


class _Piece(io.RawIOBase):
    """The bytes of a stream from an offset on, as if they were all there is."""

    def __init__(self, whole: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._whole, self._offset, self._size, self._at = whole, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        left = max(0, min(len(buffer), self._size - self._at))
        if not left:
            return 0
        self._whole.seek(self._offset + self._at)
        content = self._whole.read(left)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def close(self) -> None:
        self._whole.close()
        super().close()
