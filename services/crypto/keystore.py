"""The keys of the house: a file only its owner may read, made once, never overwritten; each key has an id and a day.

The newest key seals, all of them open. Losing the file is losing every sealed phone number: docs/how-to/messages.md.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.errors import Unavailable
from services.crypto.primitives import KEY_BYTES

FORM: Final = 1
BLIND_BYTES: Final = 32
FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One SM4 key: its id stands in front of everything it sealed."""

    id: str
    made_on: dt.date
    key: bytes


@dataclass(frozen=True, slots=True)
class KeyStore:
    """The sealing keys, oldest first, and the key of the blind indexes, which never changes."""

    keys: tuple[SealingKey, ...]
    blind: bytes

    @property
    def newest(self) -> SealingKey:
        """Return the key that seals."""
        return self.keys[-1]

    def key(self, key_id: str) -> bytes:
        """Return the key of an id. Raises ``Unavailable`` when this keystore has never held it."""
        for each in self.keys:
            if each.id == key_id:
                return each.key
        raise Unavailable(
            "key_unknown", "密钥库里没有加密这条内容的密钥，请系统管理员恢复密钥库备份。", key=key_id[:20]
        )


def make_keystore(path: Path) -> KeyStore:
    """Make a keystore unless there is one already, and return what is there; two who try at once get the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = KeyStore(keys=(_new_key(),), blind=secrets.token_bytes(BLIND_BYTES))
    draft = _write_beside(path, fresh)
    try:
        os.link(draft, path)  # fails when somebody was faster, and never replaces a key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read_keystore(path)


def read_keystore(path: Path) -> KeyStore:
    """Read a keystore. Raises ``Unavailable`` when it is absent, unreadable, or open to other accounts of the machine."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise Unavailable(
            "keystore_missing", "读不到密钥库，加密内容暂时打不开。请系统管理员检查密钥库文件。"
        ) from fault
    if mode & FOR_OTHERS:
        raise Unavailable("keystore_open", "密钥库文件允许其他系统账号读取，已停用。请把文件权限改为 600。")
    try:
        data = json.loads(text)
        keys = tuple(
            SealingKey(each["id"], dt.date.fromisoformat(each["made_on"]), _key_bytes(each["key"], KEY_BYTES))
            for each in data["keys"]
        )
        store = KeyStore(keys=keys, blind=_key_bytes(data["blind"], BLIND_BYTES))
    except (ValueError, KeyError, TypeError) as fault:
        raise Unavailable("keystore_broken", "密钥库文件内容不完整。请系统管理员恢复密钥库备份。") from fault
    if not store.keys:
        raise Unavailable("keystore_broken", "密钥库文件里没有密钥。请系统管理员恢复密钥库备份。")
    return store


def add_key(path: Path) -> SealingKey:
    """Add a key, which seals from now on, and return it; what older keys sealed stays readable. Processes read it anew."""
    store = read_keystore(path)
    key = _new_key()
    draft = _write_beside(path, KeyStore(keys=(*store.keys, key), blind=store.blind))
    draft.replace(path)
    return key


def _new_key() -> SealingKey:
    return SealingKey(secrets.token_hex(4), dt.datetime.now(tz=dt.UTC).date(), secrets.token_bytes(KEY_BYTES))


def _write_beside(path: Path, store: KeyStore) -> Path:
    """Write a keystore to a new file in the same folder, safe on the disk and readable by its owner only."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    data = {
        "form": FORM,
        "keys": [{"id": each.id, "made_on": each.made_on.isoformat(), "key": _text(each.key)} for each in store.keys],
        "blind": _text(store.blind),
    }
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _key_bytes(text: str, size: int) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != size:
        raise ValueError("a key of the wrong length")
    return key
