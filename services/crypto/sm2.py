"""SM2 (GB/T 32918, GM/T 0009): key pairs, signatures over SM3 with the signer's identity, encryption as C1‖C3‖C2.

The arithmetic is Debian's libcrypto 3 through ctypes, loaded at the first use; every object of it is freed where it was made.
Private keys travel as PKCS#8 PEM, public ones as SubjectPublicKeyInfo PEM, signatures as the DER pair of GM/T 0009.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p, create_string_buffer
from dataclasses import dataclass, field
from typing import Final

from services.crypto import libcrypto as lib
from services.crypto.der import ciphertext_of, parts_of
from services.crypto.libcrypto import LibraryFault

USER_ID: Final = b"1234567812345678"
"""The identity of a signer who has none of their own (GM/T 0009, 10)."""
POINT_BYTES: Final = 65
DIGEST_BYTES: Final = 32
LONGEST_PLAIN: Final = 65_536


class KeyRefused(Exception):
    """A text is no SM2 key in PEM, or its passphrase is another."""


class NotOpened(Exception):
    """A ciphertext does not open with this key: it was changed, or is for another."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as PEM; equal texts are equal keys."""

    pem: str

    def verify(self, data: bytes, signature: bytes, *, user_id: bytes = USER_ID) -> bool:
        """Say whether a DER signature is this key's over ``data``. Raises ``KeyRefused`` for a key that is none."""
        if not signature:
            return False
        with _key(self.pem) as key, _digesting(key, user_id) as context:
            lib.check(lib.load().EVP_DigestVerifyInit(context, None, lib.load().EVP_sm3(), None, key), "verify")
            told = lib.load().EVP_DigestVerify(context, signature, len(signature), data, len(data))
            lib.forget_errors()  # a signature that is no DER at all leaves some behind
            return bool(told == 1)

    def encrypt(self, plain: bytes) -> bytes:
        """Return C1‖C3‖C2: the point (65 bytes), the SM3 digest (32 bytes), the masked text.

        Raises ``ValueError`` beyond 1 to 65,536 bytes.
        """
        if not 0 < len(plain) <= LONGEST_PLAIN:
            raise ValueError(f"SM2 encrypts 1 to {LONGEST_PLAIN} bytes")
        with _key(self.pem) as key, _acting(key) as context:
            lib.check(lib.load().EVP_PKEY_encrypt_init(context), "encrypt")
            return parts_of(_filled(lib.load().EVP_PKEY_encrypt, context, plain))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key as PKCS#8 PEM without a passphrase; its text appears in no ``repr``."""

    pem: str = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Return the public half."""
        with _key(self.pem, private=True) as key, _memory() as memory:
            lib.check(lib.load().PEM_write_bio_PUBKEY(memory, key), "write")
            return PublicKey(lib.text_of(memory))

    def sign(self, data: bytes, *, user_id: bytes = USER_ID) -> bytes:
        """Return the DER signature over ``data`` of the signer called ``user_id``; another one each time."""
        with _key(self.pem, private=True) as key, _digesting(key, user_id) as context:
            lib.check(lib.load().EVP_DigestSignInit(context, None, lib.load().EVP_sm3(), None, key), "sign")
            return _filled(lib.load().EVP_DigestSign, context, data)

    def decrypt(self, sealed: bytes) -> bytes:
        """Return what ``PublicKey.encrypt`` took. Raises ``NotOpened``."""
        try:
            written = ciphertext_of(sealed)
            with _key(self.pem, private=True) as key, _acting(key) as context:
                lib.check(lib.load().EVP_PKEY_decrypt_init(context), "decrypt")
                return _filled(lib.load().EVP_PKEY_decrypt, context, written)
        except (LibraryFault, ValueError):
            raise NotOpened from None

    def sealed_pem(self, passphrase: str) -> str:
        """Return the key as PKCS#8 PEM under a passphrase (PBES2 with SM4-CBC)."""
        if not passphrase:
            raise ValueError("a passphrase of at least one sign")
        with _key(self.pem, private=True) as key:
            return _written(key, passphrase.encode())


def new_key() -> PrivateKey:
    """Return a new key pair on the curve of the standard."""
    library = lib.load()
    with ExitStack() as stack:
        context = lib.made(library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None), "keygen")
        stack.callback(library.EVP_PKEY_CTX_free, context)
        lib.check(library.EVP_PKEY_keygen_init(context), "keygen")
        key = c_void_p()
        lib.check(library.EVP_PKEY_generate(context, byref(key)), "keygen")
        stack.callback(library.EVP_PKEY_free, key)
        return PrivateKey(_written(key, b""))


def read_private_key(pem: str, *, passphrase: str = "") -> PrivateKey:
    """Return the key of a PKCS#8 PEM text. Raises ``KeyRefused`` for anything else, and for another passphrase."""
    with _key(pem, private=True, passphrase=passphrase.encode()) as key:
        return PrivateKey(_written(key, b""))


def read_public_key(pem: str) -> PublicKey:
    """Return the key of a SubjectPublicKeyInfo PEM text. Raises ``KeyRefused``."""
    with _key(pem) as key, _memory() as memory:
        lib.check(lib.load().PEM_write_bio_PUBKEY(memory, key), "write")
        return PublicKey(lib.text_of(memory))


@contextmanager
def _memory(text: bytes | None = None) -> Iterator[c_void_p]:
    """Hold a BIO in memory, over ``text`` or empty."""
    library = lib.load()
    made = library.BIO_new(library.BIO_s_mem()) if text is None else library.BIO_new_mem_buf(text, len(text))
    memory = lib.made(made, "memory")
    try:
        yield memory
    finally:
        library.BIO_free_all(memory)


@contextmanager
def _key(pem: str, *, private: bool = False, passphrase: bytes = b"") -> Iterator[c_void_p]:
    library = lib.load()
    read = library.PEM_read_bio_PrivateKey if private else library.PEM_read_bio_PUBKEY
    with _memory(pem.encode()) as memory:
        # Without a password of ours libcrypto would ask one of the terminal.
        found = read(memory, None, None, c_char_p(passphrase))
    lib.forget_errors()
    if not found:
        raise KeyRefused("no SM2 key in PEM, or another passphrase")
    key = c_void_p(found)
    try:
        if not library.EVP_PKEY_is_a(key, b"SM2"):
            raise KeyRefused("a key, but none of SM2")
        yield key
    finally:
        library.EVP_PKEY_free(key)


@contextmanager
def _acting(key: c_void_p) -> Iterator[c_void_p]:
    library = lib.load()
    context = lib.made(library.EVP_PKEY_CTX_new(key, None), "context")
    try:
        yield context
    finally:
        library.EVP_PKEY_CTX_free(context)


@contextmanager
def _digesting(key: c_void_p, user_id: bytes) -> Iterator[c_void_p]:
    """Hold a digest context whose first bytes are ZA, the digest of identity and key."""
    library = lib.load()
    with _acting(key) as acting:
        lib.check(library.EVP_PKEY_CTX_set1_id(acting, user_id, len(user_id)), "identity")
        context = lib.made(library.EVP_MD_CTX_new(), "context")
        try:
            library.EVP_MD_CTX_set_pkey_ctx(context, acting)
            yield context
        finally:
            library.EVP_MD_CTX_free(context)


def _filled(act: lib.Function, context: c_void_p, data: bytes) -> bytes:
    """Ask how long the answer may be, then for the answer."""
    length = c_size_t()
    lib.check(act(context, None, byref(length), data, len(data)), "length")
    room = create_string_buffer(length.value)
    lib.check(act(context, room, byref(length), data, len(data)), "act")
    return room.raw[: length.value]


def _written(key: c_void_p, passphrase: bytes) -> str:
    library = lib.load()
    cipher = library.EVP_sm4_cbc() if passphrase else None
    with _memory() as memory:
        done = library.PEM_write_bio_PKCS8PrivateKey(
            memory, key, cipher, passphrase or None, c_int(len(passphrase)), None, None
        )
        lib.check(done, "write")
        return lib.text_of(memory)
