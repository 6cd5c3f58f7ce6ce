"""Where plain contents may lie for a moment: a folder of each process, mode 700, gone when the process is, however it ended.

``begin`` makes it the place of every temporary file of the process and of its children; ``QUANTU_SCRATCH`` names the folder of
these folders, which ``./run`` puts into memory where there is room.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PREFIX: Final = "of-"
LOCK: Final = ".lock"
_held: list[int] = []
_own: list[Path] = []


def begin(root: Path) -> Path:
    """Sweep what dead processes left, give this one a folder of its own, and return it; a fork gets its own as well.

    A process that has its folder already keeps it: what lies there is in use.
    """
    if _held and _own[-1].parent == root:
        return _own[-1]
    if not _held:
        os.register_at_fork(after_in_child=lambda: _settle(root) if _held else None)
    return _settle(root)


def sweep(root: Path) -> int:
    """Delete the folders of processes that are no more, and return how many there were."""
    with _alone(root):
        return _sweep(root)


def _settle(root: Path) -> Path:
    while _held:
        os.close(_held.pop())  # of the process this one was forked from, which goes on holding its own
    with _alone(root):
        _sweep(root)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        handle = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
    _held.append(handle)
    _own[:] = [folder]
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return folder


def _sweep(root: Path) -> int:
    gone = 0
    for folder in root.glob(f"{PREFIX}*"):
        handle = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # somebody lives there
        else:
            shutil.rmtree(folder)
            gone += 1
        finally:
            os.close(handle)
    return gone


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let one process at a time settle or sweep: a folder without its lock yet must not look deserted."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(root / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
