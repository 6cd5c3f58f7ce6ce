"""The two DER shapes of SM2 (GM/T 0009): pairs of whole numbers, and ciphertexts, to and from the raw C1‖C3‖C2. Pure."""

from __future__ import annotations

from typing import Final

SEQUENCE: Final = 0x30
INTEGER: Final = 0x02
OCTETS: Final = 0x04
_POINT: Final = 65
_DIGEST: Final = 32


def parts_of(written: bytes) -> bytes:
    """Return C1‖C3‖C2 of an SM2Cipher in DER. Raises ``ValueError`` for anything else."""
    body = _whole(written, SEQUENCE)
    x, body = item(body, INTEGER)
    y, body = item(body, INTEGER)
    digest, body = item(body, OCTETS)
    text, body = item(body, OCTETS)
    if body or len(digest) != _DIGEST:
        raise ValueError("no ciphertext of SM2")
    return b"\x04" + _coordinate(x) + _coordinate(y) + digest + text


def ciphertext_of(parts: bytes) -> bytes:
    """Return the SM2Cipher in DER of C1‖C3‖C2. Raises ``ValueError`` for bytes that are none."""
    if len(parts) <= _POINT + _DIGEST or parts[0] != 4:
        raise ValueError("no ciphertext of SM2")
    x, y, rest = parts[1:33], parts[33:_POINT], parts[_POINT:]
    numbers = b"".join(tagged(INTEGER, _shortest(each)) for each in (x, y))
    return tagged(SEQUENCE, numbers + tagged(OCTETS, rest[:_DIGEST]) + tagged(OCTETS, rest[_DIGEST:]))


def signature_of(r: int, s: int) -> bytes:
    """Return the DER pair of a signature."""
    return tagged(SEQUENCE, b"".join(tagged(INTEGER, _shortest(each.to_bytes(32, "big"))) for each in (r, s)))


def pair_of(signature: bytes) -> tuple[int, int]:
    """Return r and s of a signature in DER. Raises ``ValueError`` for anything else."""
    body = _whole(signature, SEQUENCE)
    r, body = item(body, INTEGER)
    s, body = item(body, INTEGER)
    if body:
        raise ValueError("more than a pair")
    return int.from_bytes(r, "big"), int.from_bytes(s, "big")


def _shortest(number: bytes) -> bytes:
    number = number.lstrip(b"\x00") or b"\x00"
    return b"\x00" + number if number[0] & 0x80 else number


def _coordinate(number: bytes) -> bytes:
    number = number.lstrip(b"\x00")
    if len(number) > 32:
        raise ValueError("no coordinate of 256 bits")
    return number.rjust(32, b"\x00")


def tagged(tag: int, body: bytes) -> bytes:
    """Return a value with its tag and the shortest length before it."""
    length = len(body)
    if length < 0x80:
        return bytes((tag, length)) + body
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + body


def _whole(data: bytes, tag: int) -> bytes:
    body, rest = item(data, tag)
    if rest:
        raise ValueError("something follows")
    return body


def item(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the body of the first value, which must have this tag, and what follows it. Raises ``ValueError``."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("another tag")
    length, at = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or len(data) < 2 + size:
            raise ValueError("a length of no sense")
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < at + length:
        raise ValueError("cut short")
    return data[at : at + length], data[at + length :]
