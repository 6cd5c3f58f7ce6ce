"""The few functions of OpenSSL's libcrypto 3 that SM2 needs, typed for ctypes, and its errors as one exception."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_ulong, c_void_p
from typing import Any, Final

from geo.errors import Unavailable

Function = Callable[..., Any]
NAME: Final = "libcrypto.so.3"
_SIZE: Final = POINTER(c_size_t)
_SIGNATURES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "BIO_new": (c_void_p, (c_void_p,)),
    "BIO_s_mem": (c_void_p, ()),
    "BIO_new_mem_buf": (c_void_p, (c_char_p, c_int)),
    "BIO_free_all": (None, (c_void_p,)),
    "BIO_read": (c_int, (c_void_p, c_char_p, c_int)),
    "BIO_ctrl_pending": (c_size_t, (c_void_p,)),
    "ERR_get_error": (c_ulong, ()),
    "ERR_reason_error_string": (c_char_p, (c_ulong,)),
    "ERR_clear_error": (None, ()),
    "EVP_sm3": (c_void_p, ()),
    "EVP_sm4_cbc": (c_void_p, ()),
    "EVP_MD_CTX_new": (c_void_p, ()),
    "EVP_MD_CTX_free": (None, (c_void_p,)),
    "EVP_MD_CTX_set_pkey_ctx": (None, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_set1_id": (c_int, (c_void_p, c_char_p, c_size_t)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_is_a": (c_int, (c_void_p, c_char_p)),
    "EVP_PKEY_keygen_init": (c_int, (c_void_p,)),
    "EVP_PKEY_generate": (c_int, (c_void_p, POINTER(c_void_p))),
    "EVP_PKEY_encrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_encrypt": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_PKEY_decrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_decrypt": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_DigestSignInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestSign": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_DigestVerifyInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestVerify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "PEM_read_bio_PrivateKey": (c_void_p, (c_void_p, c_void_p, c_void_p, c_char_p)),
    "PEM_read_bio_PUBKEY": (c_void_p, (c_void_p, c_void_p, c_void_p, c_char_p)),
    "PEM_write_bio_PUBKEY": (c_int, (c_void_p, c_void_p)),
    "PEM_write_bio_PKCS8PrivateKey": (c_int, (c_void_p, c_void_p, c_void_p, c_char_p, c_int, c_void_p, c_void_p)),
}


class LibraryFault(Exception):
    """libcrypto refused an act; the text holds its own reason, for the log."""


@functools.cache
def load() -> Any:
    """Return libcrypto, loaded once. Raises ``Unavailable`` where there is no libcrypto 3 with SM2."""
    try:
        library = ctypes.CDLL(NAME)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as fault:
        raise Unavailable(
            "libcrypto_missing", "本机缺少支持国密算法的 libcrypto 3，无法签名验签。请安装 libssl3。"
        ) from fault
    return library


def check(told: int, act: str) -> None:
    """Raise ``LibraryFault`` unless libcrypto says 1."""
    if told != 1:
        raise LibraryFault(f"{act}: {_reasons()}")


def made(pointer: int | None, act: str) -> c_void_p:
    """Return a pointer. Raises ``LibraryFault`` for none."""
    if not pointer:
        raise LibraryFault(f"{act}: {_reasons()}")
    return c_void_p(pointer)


def forget_errors() -> None:
    """Empty this thread's queue of errors, so that none is found at a later act."""
    load().ERR_clear_error()


def text_of(memory: c_void_p) -> str:
    """Return all that was written to a BIO in memory, as ASCII."""
    length = load().BIO_ctrl_pending(memory)
    room = ctypes.create_string_buffer(length)
    if load().BIO_read(memory, room, c_int(length)) != length:
        raise LibraryFault("read")
    return room.raw[:length].decode("ascii")


def _reasons() -> str:
    library, reasons = load(), []
    while (number := library.ERR_get_error()) != 0:
        reasons.append((library.ERR_reason_error_string(c_ulong(number)) or b"unknown").decode())
    return ", ".join(reasons) or "no reason given"
