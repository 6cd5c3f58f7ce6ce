"""The form of a sealed file: a data key of its own, sealed by the house, and the content in pieces of SM4-GCM.

``head`` (32 bytes: magic, version, size of a piece as a power of two, a random number of the file) ``‖ two slots`` (80 bytes
each) ``‖ pieces``. A slot holds the data key as one key of the house sealed it, bound to the head and to the label of the file
(where it lies), so that a file put in another's place does not open. Two slots, since a rotation writes the other one before it
empties the first: whenever power fails, one of them stands. The nonce of a piece is its number and whether it is the last; what
is cut off, added, moved or changed does not open.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from services.crypto.port import KeyService
from services.crypto.primitives import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Tampered, sm4_open, sm4_seal

MAGIC: Final = b"QUANTUSF"
VERSION: Final = 1
PIECE: Final = 16
"""Pieces are of 2¹⁶ bytes, the last one shorter or empty."""
_HEAD: Final = struct.Struct(">8sBB6x16s")
_WRAPPED: Final = NONCE_BYTES + KEY_BYTES + TAG_BYTES
_SLOT: Final = struct.Struct(f">IB20s{_WRAPPED}s")
_SLOT_BYTES: Final = 80
BEGIN: Final = _HEAD.size + 2 * _SLOT_BYTES
"""Where the pieces begin."""
_EMPTY: Final = bytes(_SLOT_BYTES)


class Slot(NamedTuple):
    """A data key as it is sealed, and which key of the house sealed it; the higher turn counts."""

    turn: int
    key_id: str
    wrapped: bytes

    def packed(self) -> bytes:
        """Return the slot as bytes with a checksum, which guards against a torn write and nothing else."""
        key_id = self.key_id.encode("ascii")
        body = _SLOT.pack(self.turn, len(key_id), key_id, self.wrapped)
        return (body + struct.pack(">I", zlib.crc32(body))).ljust(_SLOT_BYTES, b"\0")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the pieces: the fixed part, and the slots (none where one is empty or torn)."""

    fixed: bytes
    slots: tuple[Slot | None, Slot | None]

    @property
    def piece(self) -> int:
        """Return the bytes of a piece."""
        return 1 << self.fixed[9]

    @property
    def current(self) -> tuple[int, Slot]:
        """Return the slot that counts and its place. Raises ``Tampered`` when there is none."""
        found = [(slot.turn, at, slot) for at, slot in enumerate(self.slots) if slot is not None]
        if not found:
            raise Tampered
        _, at, slot = max(found, key=lambda each: each[0])
        return at, slot


def begins_sealed(beginning: bytes) -> bool:
    """Say whether a file that begins so is a sealed one."""
    return beginning.startswith(MAGIC)


def read_head(file: BinaryIO) -> Head:
    """Read what stands before the pieces. Raises ``Tampered`` for anything else."""
    file.seek(0)
    raw = file.read(BEGIN)
    fixed = raw[: _HEAD.size]
    if len(raw) != BEGIN or not begins_sealed(fixed) or fixed[8] != VERSION or not 10 <= fixed[9] <= 24:
        raise Tampered
    first, second = (_slot(raw[at : at + _SLOT_BYTES]) for at in (_HEAD.size, _HEAD.size + _SLOT_BYTES))
    return Head(fixed, (first, second))


def seal_stream(plain: BinaryIO, out: BinaryIO, *, label: str, keys: KeyService, piece: int = PIECE) -> None:
    """Write what a stream holds to another as a sealed file; a few pieces are in memory at a time."""
    fixed, secret = _HEAD.pack(MAGIC, VERSION, piece, os.urandom(16)), os.urandom(KEY_BYTES)
    out.write(fixed + _sealed_key(fixed, secret, 1, label, keys).packed() + _EMPTY)
    number, this = 0, _exactly(plain, 1 << piece)
    while True:
        # An empty piece follows nothing: the last one is known by looking whether there is another.
        following = _exactly(plain, 1 << piece) if len(this) == 1 << piece else b""
        out.write(sm4_seal(secret, _nonce(number, last=not following), this, fixed))
        if not following:
            return
        number, this = number + 1, following


class SealedReader(io.RawIOBase):
    """The plain content of a sealed file as a raw stream; each piece is checked before any of it is given out.

    Opening checks the head and the last piece, so a file that was cut is known before anything of it is read.
    """

    def __init__(self, file: BinaryIO, *, label: str, keys: KeyService) -> None:
        """Open the data key. Raises ``Tampered``, and ``Unavailable`` when its key is not here."""
        super().__init__()
        self._file = file
        head = read_head(file)
        self._fixed, self._piece = head.fixed, head.piece
        _, slot = head.current
        self._secret = keys.open(slot.key_id, slot.wrapped, _surroundings(head.fixed, label))
        sealed = file.seek(0, os.SEEK_END) - BEGIN
        whole = self._piece + TAG_BYTES
        self._pieces = max(1, -(-sealed // whole))
        self._size = sealed - self._pieces * TAG_BYTES
        self._at, self._held, self._plain = 0, -1, b""
        self._open_piece(self._pieces - 1)

    @property
    def size(self) -> int:
        """Return the bytes of the plain content."""
        return self._size

    def readable(self) -> bool:
        """Say that it is read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte of the plain content and return its place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer up to the end of the present piece. Raises ``Tampered``."""
        if self._at >= self._size:
            return 0
        number, inside = divmod(self._at, self._piece)
        self._open_piece(number)
        part = self._plain[inside : inside + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Close the file below, too."""
        if not self.closed:
            self._secret, self._plain = b"", b""
            self._file.close()
        super().close()

    def _open_piece(self, number: int) -> None:
        if number == self._held:
            return
        self._file.seek(BEGIN + number * (self._piece + TAG_BYTES))
        sealed = self._file.read(self._piece + TAG_BYTES)
        nonce = _nonce(number, last=number == self._pieces - 1)
        self._plain = sm4_open(self._secret, nonce, sealed, self._fixed)
        self._held = number


def renew_key(file: BinaryIO, *, label: str, keys: KeyService, newest: str) -> bool:
    """Seal the data key of a file (open for reading and writing) by the newest key; say whether that was needed.

    The content is not touched. The new slot is on the disk before the old one is emptied. Raises ``Tampered``, ``Unavailable``.
    """
    head = read_head(file)
    at, slot = head.current
    if slot.key_id == newest:
        return False
    secret = keys.open(slot.key_id, slot.wrapped, _surroundings(head.fixed, label))
    renewed = _sealed_key(head.fixed, secret, slot.turn + 1, label, keys)
    _put(file, 1 - at, renewed.packed())
    _put(file, at, _EMPTY)
    return True


def _put(file: BinaryIO, at: int, slot: bytes) -> None:
    file.seek(_HEAD.size + at * _SLOT_BYTES)
    file.write(slot)
    file.flush()
    os.fsync(file.fileno())


def _sealed_key(fixed: bytes, secret: bytes, turn: int, label: str, keys: KeyService) -> Slot:
    key_id, wrapped = keys.seal(secret, _surroundings(fixed, label))
    return Slot(turn, key_id, wrapped)


def _slot(raw: bytes) -> Slot | None:
    body = raw[: _SLOT.size]
    if raw[_SLOT.size : _SLOT.size + 4] != struct.pack(">I", zlib.crc32(body)) or raw == _EMPTY:
        return None
    turn, length, key_id, wrapped = _SLOT.unpack(body)
    named = key_id[:length]
    return Slot(turn, named.decode("ascii"), wrapped) if named.isalnum() and length <= len(key_id) else None


def _surroundings(fixed: bytes, label: str) -> bytes:
    return b"file\0" + fixed + label.encode()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + (b"\x01" if last else b"\x00")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes, fewer only at the end: a raw stream may give less at a time."""
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
