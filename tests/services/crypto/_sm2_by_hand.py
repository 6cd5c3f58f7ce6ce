"""SM2 by the letter of GB/T 32918 in plain whole numbers: slow, independent of libcrypto, with the random number given."""

from __future__ import annotations

import hashlib

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(number: int, point: Point) -> Point:
    result: Point = None
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def octets(number: int) -> bytes:
    return number.to_bytes(32, "big")


def public_of(secret: int) -> tuple[int, int]:
    point = times(secret, G)
    assert point is not None
    return point


def digest(public: tuple[int, int], user_id: bytes, data: bytes) -> int:
    curve = b"".join(map(octets, (A, B, *G, *public)))
    za = sm3((len(user_id) * 8).to_bytes(2, "big") + user_id + curve)
    return int.from_bytes(sm3(za + data), "big")


def sign(secret: int, data: bytes, user_id: bytes, chance: int) -> tuple[int, int]:
    point = times(chance, G)
    assert point is not None
    r = (digest(public_of(secret), user_id, data) + point[0]) % N
    s = pow(1 + secret, -1, N) * (chance - r * secret) % N
    return r, s


def verifies(public: tuple[int, int], data: bytes, user_id: bytes, r: int, s: int) -> bool:
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    point = add(times(s, G), times((r + s) % N, public))
    return point is not None and (digest(public, user_id, data) + point[0]) % N == r


def stream(x: int, y: int, length: int) -> bytes:
    made = b"".join(sm3(octets(x) + octets(y) + n.to_bytes(4, "big")) for n in range(1, length // 32 + 2))
    return made[:length]


def encrypt(public: tuple[int, int], plain: bytes, chance: int) -> bytes:
    first, shared = times(chance, G), times(chance, public)
    assert first is not None
    assert shared is not None
    x, y = shared
    hidden = bytes(a ^ b for a, b in zip(plain, stream(x, y, len(plain)), strict=True))
    return b"\x04" + octets(first[0]) + octets(first[1]) + sm3(octets(x) + plain + octets(y)) + hidden


def decrypt(secret: int, sealed: bytes) -> bytes:
    first = int.from_bytes(sealed[1:33], "big"), int.from_bytes(sealed[33:65], "big")
    shared = times(secret, first)
    assert shared is not None
    x, y = shared
    plain = bytes(a ^ b for a, b in zip(sealed[97:], stream(x, y, len(sealed) - 97), strict=True))
    assert sm3(octets(x) + plain + octets(y)) == sealed[65:97]
    return plain
