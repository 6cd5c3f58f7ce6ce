"""The keys of the house in a backup: sealed by a passphrase, so that who steals the backup still opens nothing.

Form: ``salt ‖ nonce ‖ ciphertext ‖ tag``; the key is scrypt's of the passphrase, the cipher SM4-GCM over JSON of name → text.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

PASSPHRASE: Final = "QUANTU_BACKUP_PASSPHRASE"
SHORTEST: Final = 12
NAME: Final = "keys.sealed"
FILES: Final = {"keystore": "QUANTU_KEYSTORE", "signing-keys": "QUANTU_SIGNING_KEYS"}
SALT, NONCE, TAG = 16, 12, 16
_SURROUNDINGS: Final = b"quantu keys 1"


class KeysProblem(Exception):
    """The keys cannot be sealed or opened; the message says why and what to do."""


def key_files() -> dict[str, Path]:
    """Return the files of keys by their name in a backup, whether they are there or not."""
    state = Path(os.environ["QUANTU_STATE"])
    return {name: Path(os.environ.get(variable) or state / name) for name, variable in FILES.items()}


def sealed_copy(passphrase: str) -> bytes | None:
    """Return the present keys sealed, none where there are none. Raises ``KeysProblem`` for a short passphrase."""
    if len(passphrase) < SHORTEST:
        raise KeysProblem(f"{PASSPHRASE} must have {SHORTEST} characters or more")
    found = {name: path.read_text(encoding="utf-8") for name, path in key_files().items() if path.is_file()}
    if not found:
        return None
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    encryptor = Cipher(algorithms.SM4(_key(passphrase, salt)), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(_SURROUNDINGS)
    sealed = encryptor.update(json.dumps(found).encode()) + encryptor.finalize()
    return salt + nonce + sealed + encryptor.tag


def opened_copy(sealed: bytes, passphrase: str) -> dict[str, str]:
    """Return the texts of the files of keys by name. Raises ``KeysProblem`` for another passphrase or a damaged copy."""
    salt, nonce, body = sealed[:SALT], sealed[SALT : SALT + NONCE], sealed[SALT + NONCE :]
    try:
        decryptor = Cipher(algorithms.SM4(_key(passphrase, salt)), modes.GCM(nonce, body[-TAG:])).decryptor()
        decryptor.authenticate_additional_data(_SURROUNDINGS)
        plain = decryptor.update(body[:-TAG]) + decryptor.finalize()
        found: dict[str, str] = json.loads(plain)
    except (InvalidTag, ValueError) as fault:
        raise KeysProblem(
            f"the keys in the backup do not open: {PASSPHRASE} is another, or the backup is damaged"
        ) from fault
    return {name: text for name, text in found.items() if name in FILES}


def put_back(copies: dict[str, str]) -> int:
    """Write files of keys, each key that is here already staying here too, and return how many keys were missing.

    What was here before is kept beside it under its moment.
    """
    missing = 0
    for name, text in copies.items():
        path = key_files()[name]
        here = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        merged, added = _merged(json.loads(text), here)
        if not added:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if here is not None:
            path.rename(path.with_name(f"{path.name}.before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(merged, file, indent=1)
        missing += added
    return missing


def _merged(copy: dict[str, Any], here: dict[str, Any] | None) -> tuple[dict[str, Any], int]:
    """Return the keys of both: those of the copy first, so that what is in use here stays in use."""
    if here is None:
        return copy, len(copy["keys"])
    if copy.get("form") != here.get("form") or copy["form"] != 2:
        if copy == here:
            return here, 0
        raise KeysProblem("files of keys of two forms cannot be joined: move the present ones away and restore again")
    known = {key["id"] for key in here["keys"]}
    new = [key for key in copy["keys"] if key["id"] not in known]
    return {**here, "keys": [*new, *here["keys"]]}, len(new)


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=16, n=1 << 15, r=8, p=1).derive(passphrase.encode())
