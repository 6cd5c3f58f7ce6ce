"""The contract with a key and signature service, as both sides speak it: JSON over HTTPS, every request signed
(services.integrations.signing), every value of bytes in Base64.

* ``POST /keys/v1/notes`` lists the keys of the application: id, purpose, day, whether in use, public half of signing keys.
* ``POST /keys/v1/seal`` and ``/keys/v1/open``: SM4-GCM under the newest, and a named key; ``surroundings`` are authenticated.
* ``POST /keys/v1/macs``: HMAC-SM3 under every blind key for a label, the newest first.
* ``POST /keys/v1/sign`` and ``/keys/v1/verify``: SM2 with SM3, signatures in DER.
* ``POST /keys/v1/add`` makes a key of a purpose, ``/keys/v1/drop`` forgets an old one.

An answer of another status than 200 carries ``{"code": …}`` of ``Refusal``.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from services.crypto.port import Purpose

ROOT: Final = "/keys/v1"
MOST_BYTES: Final = 100_000
KeyId = Annotated[str, Field(pattern=r"^[\w\-]{1,20}$")]
Bytes = Annotated[Base64Bytes, Field(max_length=MOST_BYTES)]


class Strict(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Refusal(StrEnum):
    """Why the service did not do what was asked."""

    NOT_SIGNED = "not_signed"
    BAD_REQUEST = "bad_request"
    KEY_UNKNOWN = "key_unknown"
    KEY_IN_USE = "key_in_use"
    TAMPERED = "tampered"
    BROKEN = "broken"


class Refused(Strict):
    """An answer that is no success."""

    code: Refusal


class Note(Strict):
    """What may be said of one key."""

    id: KeyId
    purpose: Purpose
    made_on: dt.date
    newest: bool
    public: Annotated[str, Field(max_length=1_000)] = ""


class Notes(Strict):
    """The keys of the application, oldest first."""

    keys: Annotated[list[Note], Field(max_length=1_000)]


class Seal(Strict):
    """Bytes to seal."""

    plain: Bytes
    surroundings: Bytes = b""


class Sealed(Strict):
    """Nonce, ciphertext and tag in one, and the key."""

    key_id: KeyId
    sealed: Bytes


class Open(Strict):
    """Bytes to open."""

    key_id: KeyId
    sealed: Bytes
    surroundings: Bytes = b""


class Opened(Strict):
    """What was sealed."""

    plain: Bytes


class Macs(Strict):
    """A question for keyed digests."""

    label: Bytes
    data: Bytes


class Mac(Strict):
    """One keyed digest."""

    key_id: KeyId
    mac: Annotated[Base64Bytes, Field(min_length=32, max_length=32)]


class Maced(Strict):
    """One digest for each blind key, the newest first."""

    macs: Annotated[list[Mac], Field(min_length=1, max_length=100)]


class Sign(Strict):
    """Bytes to sign."""

    data: Bytes


class Signed(Strict):
    """A signature and its key."""

    key_id: KeyId
    signature: Annotated[Base64Bytes, Field(min_length=8, max_length=100)]


class Verify(Strict):
    """A signature to check."""

    key_id: KeyId
    data: Bytes
    signature: Bytes


class Verified(Strict):
    """Whether it is the key's."""

    good: bool


class Add(Strict):
    """A wish for a new key."""

    purpose: Purpose


class Drop(Strict):
    """A wish to forget a key."""

    key_id: KeyId


class Done(Strict):
    """It is done."""
