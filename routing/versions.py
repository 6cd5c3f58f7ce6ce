"""Folders of data files that are replaced as a whole: built aside, published in one step, removed when nobody reads them.

Layout under one root: ``v-NAME/`` for each version, ``current`` naming the one to use, ``.building-*`` while one is made. A
reader holds a shared lock on its version, so an old one stays until its last reader lets go, whichever process that is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.errors import Conflict

CURRENT: Final = "current"
IN_USE: Final = "in-use"
BUILD_LOCK: Final = "build.lock"


class AlreadyBuilding(Conflict):
    """Another process is building a version in the same place."""


@dataclass(frozen=True, slots=True)
class VersionedFolder:
    """Versions of one set of files under ``root``."""

    root: Path

    def stamp(self) -> tuple[int, int, int] | None:
        """Return a value that changes whenever another version becomes current; ``None`` when there is none. Costs one stat."""
        try:
            state = os.stat(self.root / CURRENT)
        except FileNotFoundError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def current(self) -> Path | None:
        """Return the folder of the current version, or ``None`` before the first was published."""
        try:
            name = (self.root / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return self.root / name

    @contextmanager
    def building(self, name: str) -> Iterator[Path]:
        """Yield an empty folder to write into; when the block ends well it becomes the current version ``v-NAME``.

        When the block raises, or the process dies, the current version stays. Raises ``AlreadyBuilding`` when another build runs.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._build_lock():
            self._remove_abandoned()
            folder = Path(tempfile.mkdtemp(prefix=".building-", dir=self.root))
            try:
                yield folder
                (folder / IN_USE).touch()
                self._publish(folder, name)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self.remove_unused()

    def _publish(self, folder: Path, name: str) -> None:
        for file in folder.iterdir():
            _flush(file)
        _flush(folder)
        target = self.root / f"v-{name}"
        # The same content may be published again; the folder being read must never be touched, so the new one gets its own name.
        turn = 1
        while target.exists():
            turn += 1
            target = self.root / f"v-{name}-{turn}"
        folder.chmod(0o755)
        folder.rename(target)
        pointer = self.root / f".{CURRENT}-new"
        pointer.write_text(target.name + "\n", encoding="utf-8")
        _flush(pointer)
        pointer.replace(self.root / CURRENT)
        _flush(self.root)

    def remove_unused(self) -> list[str]:
        """Remove versions that are neither current nor held by a reader; return their names."""
        current = self.current()
        removed = []
        for folder in self.root.glob("v-*"):
            if folder == current:
                continue
            with suppress(BlockingIOError, FileNotFoundError), (folder / IN_USE).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder.name)
        return removed

    def _remove_abandoned(self) -> None:
        for folder in self.root.glob(".building-*"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _build_lock(self) -> Iterator[None]:
        with (self.root / BUILD_LOCK).open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyBuilding(
                    "routing.building", "后台正在重建，请等它完成后再试。", root=str(self.root.name)
                ) from None
            yield


class Hold:
    """Keeps a version's folder from being removed until it is closed or forgotten."""

    def __init__(self, folder: Path) -> None:
        """Take hold of ``folder``. Raises ``FileNotFoundError`` when it is gone."""
        self._descriptor: int | None = None
        self._descriptor = os.open(folder / IN_USE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
            # The folder may have been removed between opening and locking.
            os.stat(folder / IN_USE)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
