"""The keys of the house in files only their owner may read, never overwritten; each key has an id, a purpose and a day.

The newest key of a purpose is in use, all of them are understood. Losing the file of the sealing keys is losing every sealed
phone number: docs/how-to/keys.md.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import functools
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from geo.errors import Conflict, NotFound, Unavailable
from services.crypto.port import KeyNote, Purpose
from services.crypto.primitives import KEY_BYTES, NONCE_BYTES, sm3_mac, sm4_open, sm4_seal
from services.crypto.sm2 import KeyRefused, PrivateKey, PublicKey, new_key

FORM: Final = 2
BLIND_BYTES: Final = 32
FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SEALING: Final = (Purpose.SEAL, Purpose.BLIND)
SIGNING: Final = (Purpose.SIGN,)


@dataclass(frozen=True, slots=True)
class HouseKey:
    """One key: 16 bytes of SM4, 32 bytes of a blind index, or a PKCS#8 PEM of SM2. Its bytes appear in no ``repr``."""

    id: str
    purpose: Purpose
    made_on: dt.date
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyStore:
    """The keys of one file, oldest first, and what they do (the acts of ``KeyService``)."""

    keys: tuple[HouseKey, ...]

    def notes(self) -> tuple[KeyNote, ...]:
        """Return what may be said of the keys."""
        newest = {key.purpose: key.id for key in self.keys}
        return tuple(
            KeyNote(key.id, key.purpose, key.made_on, newest[key.purpose] == key.id, _public_pem(key))
            for key in self.keys
        )

    def newest(self, purpose: Purpose) -> HouseKey:
        """Return the key in use. Raises ``Unavailable`` when the file holds none for the purpose."""
        for key in reversed(self.keys):
            if key.purpose is purpose:
                return key
        raise Unavailable("key_missing", "密钥库里没有这种用途的密钥。请系统管理员恢复密钥库备份。", purpose=purpose)

    def key(self, key_id: str, purpose: Purpose = Purpose.SEAL) -> HouseKey:
        """Return the key of an id. Raises ``Unavailable`` when this file has never held it for the purpose."""
        for key in self.keys:
            if key.id == key_id and key.purpose is purpose:
                return key
        raise Unavailable(
            "key_unknown", "密钥库里没有加密这条内容的密钥，请系统管理员恢复密钥库备份。", key=key_id[:20]
        )

    def seal(self, plain: bytes, surroundings: bytes) -> tuple[str, bytes]:
        """See ``KeyService.seal``."""
        key, nonce = self.newest(Purpose.SEAL), os.urandom(NONCE_BYTES)
        return key.id, nonce + sm4_seal(key.secret, nonce, plain, surroundings)

    def open(self, key_id: str, sealed: bytes, surroundings: bytes) -> bytes:
        """See ``KeyService.open``."""
        return sm4_open(self.key(key_id).secret, sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], surroundings)

    def macs(self, label: bytes, data: bytes) -> tuple[tuple[str, bytes], ...]:
        """See ``KeyService.macs``."""
        self.newest(Purpose.BLIND)
        blind = [key for key in reversed(self.keys) if key.purpose is Purpose.BLIND]
        return tuple((key.id, sm3_mac(sm3_mac(key.secret, label), data)) for key in blind)

    def sign(self, data: bytes) -> tuple[str, bytes]:
        """See ``KeyService.sign``."""
        key = self.newest(Purpose.SIGN)
        return key.id, PrivateKey(key.secret.decode("ascii")).sign(data)

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """See ``KeyService.verify``."""
        for key in self.keys:
            if key.id == key_id and key.purpose is Purpose.SIGN:
                return PublicKey(_public_pem(key)).verify(data, signature)
        return False


def make_keystore(path: Path, purposes: Sequence[Purpose] = SEALING) -> KeyStore:
    """Make a file of keys unless there is one already, and return what is there; two who try at once get the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _write_beside(path, KeyStore(tuple(_new_key(purpose) for purpose in purposes)))
    try:
        os.link(draft, path)  # fails when somebody was faster, and never replaces a key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read_keystore(path)


def read_keystore(path: Path) -> KeyStore:
    """Read a file of keys. Raises ``Unavailable`` when it is absent, unreadable, or open to other accounts of the machine."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise Unavailable(
            "keystore_missing", "读不到密钥库，加密内容暂时打不开。请系统管理员检查密钥库文件。"
        ) from fault
    if mode & FOR_OTHERS:
        raise Unavailable("keystore_open", "密钥库文件允许其他系统账号读取，已停用。请把文件权限改为 600。")
    return keystore_of(text)


def keystore_of(text: str) -> KeyStore:
    """Return the keys a text holds. Raises ``Unavailable`` when it is not whole."""
    try:
        keys = _keys_of(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, KeyRefused) as fault:
        raise Unavailable("keystore_broken", "密钥库文件内容不完整。请系统管理员恢复密钥库备份。") from fault
    if not keys:
        raise Unavailable("keystore_broken", "密钥库文件里没有密钥。请系统管理员恢复密钥库备份。")
    return KeyStore(keys)


def add_key(path: Path, purpose: Purpose = Purpose.SEAL) -> HouseKey:
    """Add a key, which is in use from now on, and return it; older ones are still understood. Processes read it anew."""
    with _held(path):
        store, key = read_keystore(path), _new_key(purpose)
        _write_beside(path, KeyStore((*store.keys, key))).replace(path)
    return key


def drop_key(path: Path, key_id: str) -> None:
    """Forget a key. Raises ``NotFound``, or ``Conflict`` for the newest of its purpose."""
    with _held(path):
        store = read_keystore(path)
        found = next((note for note in store.notes() if note.id == key_id), None)
        if found is None:
            raise NotFound("key_unknown", "密钥库里没有这把密钥。")
        if found.newest:
            raise Conflict("key_in_use", "这把密钥正在使用，不能删除。")
        kept = KeyStore(tuple(key for key in store.keys if key.id != key_id))
        _write_beside(path, kept).replace(path)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let one process at a time write a file of keys: of two rotations at once neither may be lost."""
    if not path.exists():
        read_keystore(path)  # says what is wrong
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _new_key(purpose: Purpose) -> HouseKey:
    secret = {
        Purpose.SEAL: lambda: secrets.token_bytes(KEY_BYTES),
        Purpose.BLIND: lambda: secrets.token_bytes(BLIND_BYTES),
        Purpose.SIGN: lambda: new_key().pem.encode("ascii"),
    }[purpose]()
    return HouseKey(secrets.token_hex(4), purpose, dt.datetime.now(tz=dt.UTC).date(), secret)


def _keys_of(data: dict[str, Any]) -> tuple[HouseKey, ...]:
    if data.get("form") == 1:
        return _keys_of_form_1(data)
    keys = []
    for each in data["keys"]:
        purpose, secret = Purpose(each["purpose"]), base64.b64decode(each["key"], validate=True)
        key = HouseKey(each["id"], purpose, dt.date.fromisoformat(each["made_on"]), secret)
        if len(secret) != {Purpose.SEAL: KEY_BYTES, Purpose.BLIND: BLIND_BYTES}.get(purpose, len(secret)):
            raise ValueError("a key of the wrong length")
        keys.append(key)
    return tuple(keys)


def _keys_of_form_1(data: dict[str, Any]) -> tuple[HouseKey, ...]:
    """Read the first form, which had one key of the blind indexes without id or day."""
    first = {**data["keys"][0], "id": "blind", "purpose": Purpose.BLIND, "key": data["blind"]}
    sealing = [{**each, "purpose": Purpose.SEAL} for each in data["keys"]]
    return _keys_of({"form": FORM, "keys": [*sealing, first]})


@functools.lru_cache(maxsize=64)
def _public_pem(key: HouseKey) -> str:
    return PrivateKey(key.secret.decode("ascii")).public.pem if key.purpose is Purpose.SIGN else ""


def _write_beside(path: Path, store: KeyStore) -> Path:
    """Write keys to a new file in the same folder, safe on the disk and readable by its owner only."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    keys = [
        {
            "id": each.id,
            "purpose": each.purpose.value,
            "made_on": each.made_on.isoformat(),
            "key": base64.b64encode(each.secret).decode("ascii"),
        }
        for each in store.keys
    ]
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"form": FORM, "keys": keys}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft
