"""SM3, HMAC-SM3 and SM4-GCM give the answers that the standards print."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crypto.primitives import Tampered, same, sm3, sm3_mac, sm4_open, sm4_seal

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        # GB/T 32905-2016, appendix A
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_of_the_standard(text: bytes, digest: str) -> None:
    assert sm3(text).hex() == digest


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this OpenSSL has no SM3 to compare with")
@given(st.binary(min_size=1, max_size=100), st.binary(max_size=300))
def test_the_mac_equals_that_of_another_implementation(key: bytes, text: bytes) -> None:
    assert sm3_mac(key, text) == hmac.new(key, text, lambda: hashlib.new("sm3")).digest()


def test_sm4_of_the_standard() -> None:
    # GB/T 32907-2016, appendix A, example 1, which the library's block cipher must give
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()
    assert encryptor.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_of_rfc_8998() -> None:
    nonce = bytes.fromhex("00001234567800000000abcd")
    surroundings = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex("aa" * 8 + "bb" * 8 + "cc" * 8 + "dd" * 8 + "ee" * 8 + "ff" * 8 + "ee" * 8 + "aa" * 8)
    sealed = sm4_seal(KEY, nonce, plain, surroundings)
    assert sealed[:-16].hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    assert sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"
    assert sm4_open(KEY, nonce, sealed, surroundings) == plain


@given(st.binary(max_size=200), st.binary(max_size=40), st.data())
def test_one_bit_changed_anywhere_does_not_open(plain: bytes, surroundings: bytes, data: st.DataObject) -> None:
    nonce = bytes(12)
    sealed = bytearray(sm4_seal(KEY, nonce, plain, surroundings))
    assert sm4_open(KEY, nonce, bytes(sealed), surroundings) == plain
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(Tampered):
        sm4_open(KEY, nonce, bytes(sealed), surroundings)


def test_comparing_digests() -> None:
    assert same(b"one", b"one")
    assert not same(b"one", b"two")
