"""The contract with a face service, as both sides speak it: JSON over HTTPS, requests signed (services.integrations.signing).

* ``POST /faces/v1/begin`` opens a check of one person: a token that counts once and for a short time, and a movement to ask for,
  by which a living face is told from a picture of one.
* ``POST /faces/v1/verify`` compares up to three pictures of one moment with the face the service knows of the person. With the
  token it judges liveness too; without one it compares only, and says so. The same ``request_id`` again gets the first answer.

A person is called by ``subject``, the number both sides agreed on. Pictures (JPEG) travel sealed by SM4-GCM under a key made of
the shared secret, bound to their request, person and place in the list: ``seal_picture`` and ``open_picture``.
"""

from __future__ import annotations

import secrets as chance
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from services.crypto.primitives import KEY_BYTES, NONCE_BYTES, sm3_mac, sm4_open, sm4_seal

BEGIN_PATH: Final = "/faces/v1/begin"
VERIFY_PATH: Final = "/faces/v1/verify"
MOST_PICTURES: Final = 3
MOST_BYTES: Final = 300_000
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w\-]+$")]
Token = Annotated[str, Field(max_length=64, pattern=r"^[\w\-]*$")]


class Strict(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Action(StrEnum):
    """What a living face is asked to do."""

    BLINK = "blink"
    NOD = "nod"
    TURN = "turn"


class Verdict(StrEnum):
    """What a comparison comes to."""

    MATCHED = "matched"
    DIFFERENT = "different"
    NOT_LIVE = "not_live"
    UNCLEAR = "unclear"
    NOT_ENROLLED = "not_enrolled"


class Refusal(StrEnum):
    """Why the service did not do what was asked."""

    NOT_SIGNED = "not_signed"
    BAD_REQUEST = "bad_request"
    TOKEN_SPENT = "token_spent"
    BROKEN = "broken"


class Refused(Strict):
    """An answer that is no success."""

    code: Refusal


class Begin(Strict):
    """The beginning of a check of one person."""

    subject: Identifier


class Begun(Strict):
    """What is asked of the face, and the token of the check, for so many seconds."""

    token: Identifier
    action: Action
    seconds: Annotated[int, Field(ge=1, le=3_600)]


class Verify(Strict):
    """Pictures of a face, sealed, in the order they were taken; ``token`` '' compares only."""

    request_id: Identifier
    subject: Identifier
    token: Token = ""
    pictures: Annotated[list[Base64Bytes], Field(min_length=1, max_length=MOST_PICTURES)]


class Verified(Strict):
    """What the comparison came to; ``number`` is that of the service's own record, ``live`` whether liveness was judged."""

    request_id: Identifier
    verdict: Verdict
    score: Annotated[float, Field(ge=0, le=1)]
    number: Identifier
    live: bool


def seal_picture(secret: str, picture: bytes, *, request_id: str, subject: str, place: int) -> bytes:
    """Return a picture as it travels: nonce, ciphertext and tag."""
    nonce = chance.token_bytes(NONCE_BYTES)
    return nonce + sm4_seal(_key(secret), nonce, picture, _bound(request_id, subject, place))


def open_picture(secret: str, sealed: bytes, *, request_id: str, subject: str, place: int) -> bytes:
    """Return the picture. Raises ``Tampered`` for one that was changed, or sealed for another request, person or place."""
    return sm4_open(
        _key(secret), sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(request_id, subject, place)
    )  # fmt: skip


def _key(secret: str) -> bytes:
    return sm3_mac(secret.encode(), b"faces/v1 pictures")[:KEY_BYTES]


def _bound(request_id: str, subject: str, place: int) -> bytes:
    return f"{request_id}\n{subject}\n{place}".encode()
