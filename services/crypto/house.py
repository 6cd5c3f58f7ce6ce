"""Who holds the keys of this installation: two files by default (sealing, signing), a remote service where one is connected."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from services.crypto.keystore import SEALING, SIGNING, KeyStore, add_key, drop_key, make_keystore, read_keystore
from services.crypto.port import KeyNote, KeyService, Purpose

_elsewhere: list[Callable[[], KeyService | None]] = []


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys in two files: whoever seals need not be able to sign. Those that may be made here are, at their first use."""

    sealing: Path
    signing: Path
    sealing_made_here: bool
    signing_made_here: bool

    def notes(self) -> tuple[KeyNote, ...]:
        """See ``KeyService``."""
        return (*self._sealing().notes(), *self._signing().notes())

    def seal(self, plain: bytes, surroundings: bytes) -> tuple[str, bytes]:
        """See ``KeyService``."""
        return self._sealing().seal(plain, surroundings)

    def open(self, key_id: str, sealed: bytes, surroundings: bytes) -> bytes:
        """See ``KeyService``."""
        return self._sealing().open(key_id, sealed, surroundings)

    def macs(self, label: bytes, data: bytes) -> tuple[tuple[str, bytes], ...]:
        """See ``KeyService``."""
        return self._sealing().macs(label, data)

    def sign(self, data: bytes) -> tuple[str, bytes]:
        """See ``KeyService``."""
        return self._signing().sign(data)

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """See ``KeyService``."""
        return self._signing().verify(key_id, data, signature)

    def add_key(self, purpose: Purpose) -> KeyNote:
        """See ``KeyService``."""
        self._store(purpose)
        made = add_key(self._path(purpose), purpose)
        return next(note for note in self._store(purpose).notes() if note.id == made.id)

    def drop_key(self, key_id: str) -> None:
        """See ``KeyService``."""
        signing = any(key.id == key_id for key in self._signing().keys)
        drop_key(self.signing if signing else self.sealing, key_id)

    def _path(self, purpose: Purpose) -> Path:
        return self.signing if purpose is Purpose.SIGN else self.sealing

    def _store(self, purpose: Purpose) -> KeyStore:
        return self._signing() if purpose is Purpose.SIGN else self._sealing()

    def _sealing(self) -> KeyStore:
        return _current(self.sealing, SEALING, made_here=self.sealing_made_here)

    def _signing(self) -> KeyStore:
        return _current(self.signing, SIGNING, made_here=self.signing_made_here)


def _current(path: Path, purposes: tuple[Purpose, ...], *, made_here: bool) -> KeyStore:
    try:
        status = path.stat()
    except FileNotFoundError:
        return make_keystore(path, purposes) if made_here else read_keystore(path)
    except OSError:
        return read_keystore(path)  # says what is wrong
    return _read(path, (status.st_mtime_ns, status.st_ino, status.st_mode))


@functools.lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[int, int, int]) -> KeyStore:
    """Keep what a file said while the file is the same: rotation reaches running processes at their next use."""
    return read_keystore(path)


def house_keys() -> KeyService:
    """Return the holder of the keys of this installation; the default files are made at first use, named ones must exist."""
    for holder in _elsewhere:
        if (service := holder()) is not None:
            return service
    return file_keys()


def file_keys() -> FileKeys:
    """Return the holder that keeps keys in files."""
    return FileKeys(
        Path(settings.KEYSTORE),
        Path(settings.SIGNING_KEYS),
        settings.KEYSTORE_MADE_HERE,
        settings.SIGNING_KEYS_MADE_HERE,
    )


def held_by(holder: Callable[[], KeyService | None]) -> None:
    """Register who may hold the keys instead of the files; it returns none where it is not connected."""
    if holder not in _elsewhere:
        _elsewhere.append(holder)
