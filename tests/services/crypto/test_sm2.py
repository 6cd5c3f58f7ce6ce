"""SM2 gives the answers the standard prints, agrees with plain arithmetic and the openssl command, and refuses what is changed."""

from __future__ import annotations

import base64
import gc
import resource
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.crypto import sm2
from services.crypto.der import ciphertext_of, pair_of, parts_of, signature_of
from services.crypto.sm2 import KeyRefused, NotOpened, PrivateKey, PublicKey, new_key, read_private_key, read_public_key
from tests.services.crypto import _sm2_by_hand as hand

# GM/T 0003.5-2012, examples on the recommended curve
SECRET = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
CHANCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
SEALED = bytes.fromhex(
    "0404EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73E8"
    "58F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
    "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
    "21886CA989CA9C7D58087307CA93092D651EFA"
)


def written(secret: int) -> PrivateKey:
    """Return the PKCS#8 key of a number, written by hand as RFC 5915 and RFC 5208 have it."""
    x, y = hand.public_of(secret)
    point = b"\x04" + hand.octets(x) + hand.octets(y)
    curve = bytes.fromhex("06082a811ccf5501822d")
    kind = bytes.fromhex("3013") + bytes.fromhex("06072a8648ce3d0201") + curve
    inner = bytes.fromhex("306b020101") + b"\x04\x20" + hand.octets(secret) + b"\xa1\x44\x03\x42\x00" + point
    body = b"\x02\x01\x00" + kind + b"\x04" + bytes((len(inner),)) + inner
    der = b"\x30\x81" + bytes((len(body),)) + body
    return read_private_key(
        "-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(der).decode() + "-----END PRIVATE KEY-----\n"
    )


@pytest.fixture(scope="module")
def pair() -> PrivateKey:
    return new_key()


def test_the_signature_of_the_standard() -> None:
    assert hand.public_of(SECRET) == PUBLIC
    assert hand.sign(SECRET, b"message digest", sm2.USER_ID, CHANCE) == (R, S)
    key = written(SECRET).public
    assert key.verify(b"message digest", signature_of(R, S))
    assert not key.verify(b"message digests", signature_of(R, S))
    assert not key.verify(b"message digest", signature_of(R, S), user_id=b"somebody else")
    assert not key.verify(b"message digest", signature_of(S, R))


def test_the_ciphertext_of_the_standard() -> None:
    assert hand.encrypt(PUBLIC, b"encryption standard", CHANCE) == SEALED
    assert written(SECRET).decrypt(SEALED) == b"encryption standard"


@settings(max_examples=15, deadline=None)
@given(st.integers(1, hand.N - 2), st.binary(max_size=100), st.binary(min_size=1, max_size=40))
def test_signatures_agree_with_plain_arithmetic_in_both_directions(secret: int, data: bytes, user_id: bytes) -> None:
    key, public = written(secret), hand.public_of(secret)
    r, s = pair_of(key.sign(data, user_id=user_id))
    assert hand.verifies(public, data, user_id, r, s)
    assert key.public.verify(data, signature_of(*hand.sign(secret, data, user_id, CHANCE)), user_id=user_id)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, hand.N - 2), st.binary(min_size=1, max_size=100), st.integers(1, hand.N - 1))
def test_encryption_agrees_with_plain_arithmetic_in_both_directions(secret: int, plain: bytes, chance: int) -> None:
    key = written(secret)
    assert hand.decrypt(secret, key.public.encrypt(plain)) == plain
    assert key.decrypt(hand.encrypt(hand.public_of(secret), plain, chance)) == plain


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 1 << 30))
def test_one_bit_changed_anywhere_is_refused(pair: PrivateKey, text: bytes, place: int) -> None:
    signature, sealed = bytearray(pair.sign(text)), bytearray(pair.public.encrypt(text + b"."))
    for changed in (signature, sealed):
        at = place % (len(changed) * 8)
        changed[at // 8] ^= 1 << at % 8
    assert not pair.public.verify(text, bytes(signature))
    with pytest.raises(NotOpened):
        pair.decrypt(bytes(sealed))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=150))
def test_rubbish_neither_verifies_nor_opens(pair: PrivateKey, rubbish: bytes) -> None:
    assert not pair.public.verify(b"text", rubbish)
    with pytest.raises(NotOpened):
        pair.decrypt(rubbish)


@given(st.binary(min_size=98, max_size=400).map(lambda raw: b"\x04" + raw[1:]))
def test_ciphertexts_keep_their_bytes_through_der(parts: bytes) -> None:
    assert parts_of(ciphertext_of(parts)) == parts


REFUSED = "no ciphertext|more than a pair|no coordinate|something follows|another tag|of no sense|cut short"


@given(st.binary(max_size=120))
def test_der_that_is_none_is_refused_by_name(data: bytes) -> None:
    assume(data[:1] != b"\x30")  # no sequence; broken ones are cut out of whole ones below
    for read in (parts_of, pair_of):
        with pytest.raises(ValueError, match=REFUSED):
            read(data)


@given(st.integers(min_value=1, max_value=1 << 255), st.data())
def test_der_cut_short_or_with_more_behind_it_is_refused_by_name(number: int, data: st.DataObject) -> None:
    whole = signature_of(number, number)
    with pytest.raises(ValueError, match=REFUSED):
        pair_of(whole[: data.draw(st.integers(min_value=0, max_value=len(whole) - 1))])
    with pytest.raises(ValueError, match=REFUSED):
        pair_of(whole + b"\x00")


class TestKeys:
    def test_a_key_keeps_its_passphrase(self, pair: PrivateKey) -> None:
        sealed = pair.sealed_pem("口令 of the keeper")
        assert sealed.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert read_private_key(sealed, passphrase="口令 of the keeper") == pair
        for wrong in ("", "another"):
            with pytest.raises(KeyRefused):
                read_private_key(sealed, passphrase=wrong)

    @pytest.mark.parametrize("text", ["", "rubbish", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
    def test_what_is_no_key_is_refused(self, text: str) -> None:
        with pytest.raises(KeyRefused):
            read_private_key(text)
        with pytest.raises(KeyRefused):
            read_public_key(text)
        with pytest.raises(KeyRefused):
            PublicKey(text).verify(b"data", b"signature")

    def test_a_key_of_another_kind_is_refused(self) -> None:
        from cryptography.hazmat.primitives import serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec

        other = ec.generate_private_key(ec.SECP256R1())
        pem = other.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()
        with pytest.raises(KeyRefused):
            read_private_key(pem)

    def test_nothing_of_the_key_stands_in_its_repr(self, pair: PrivateKey) -> None:
        assert pair.pem.splitlines()[1] not in f"{pair!r} {pair}"

    def test_nothing_and_too_much_are_not_encrypted(self, pair: PrivateKey) -> None:
        for plain in (b"", bytes(sm2.LONGEST_PLAIN + 1)):
            with pytest.raises(ValueError, match="SM2 encrypts"):
                pair.public.encrypt(plain)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command to compare with")
def test_the_openssl_command_understands_our_files(pair: PrivateKey, tmp_path: Path) -> None:
    key, public, data = tmp_path / "key.pem", tmp_path / "public.pem", tmp_path / "data"
    key.write_text(pair.pem)
    public.write_text(pair.public.pem)
    data.write_bytes("圈图".encode())
    (tmp_path / "ours").write_bytes(pair.sign(data.read_bytes()))
    (tmp_path / "sealed").write_bytes(ciphertext_of(pair.public.encrypt(data.read_bytes())))
    identity = ["-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{sm2.USER_ID.decode()}"]

    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", "pkeyutl", *arguments], cwd=tmp_path, capture_output=True, check=True).stdout

    assert b"Success" in openssl(
        "-verify", "-pubin", "-inkey", "public.pem", "-in", "data", "-sigfile", "ours", *identity
    )
    theirs = openssl("-sign", "-inkey", "key.pem", "-in", "data", *identity)
    assert pair.public.verify(data.read_bytes(), theirs)
    assert openssl("-decrypt", "-inkey", "key.pem", "-in", "sealed") == data.read_bytes()
    assert (
        pair.decrypt(parts_of(openssl("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "data")))
        == data.read_bytes()
    )


def test_threads_sign_side_by_side(pair: PrivateKey) -> None:
    good: list[bool] = []

    def work(number: int) -> None:
        text = str(number).encode()
        good.extend(pair.public.verify(text, pair.sign(text)) for _ in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [True] * 200


def test_what_libcrypto_gave_is_given_back(pair: PrivateKey) -> None:
    def use(times: int) -> None:
        for _ in range(times):
            pair.public.verify(b"text", pair.sign(b"text"))
            pair.decrypt(pair.public.encrypt(b"text"))
            with pytest.raises(NotOpened):
                pair.decrypt(bytes(200))
            with pytest.raises(KeyRefused):
                read_private_key("rubbish")

    use(100)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    use(600)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3_000
    )  # KiB: a leaked key alone would be 1,500 × 2 KiB
