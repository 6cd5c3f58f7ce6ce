"""The contract with a security authentication gateway, as both sides speak it: JSON over HTTPS, every request signed
(services.integrations.signing), every value of bytes in Base64, certificates in DER (GM/T 0015), signatures of SM2 over SM3 in
the DER of GM/T 0009. Which lines are signed is said by ``texts``.

* ``POST /gateway/v1/challenge``: a challenge for a device, signed by the site, with both certificates of the site (signing and
  encryption, as GM/T 0024 has them).
* ``POST /gateway/v1/verify``: judges a device's answer to a challenge: signature, chain, days, revocation, first use.
* ``POST /gateway/v1/issue``, ``list``, ``status``, ``revoke``: certificates of a user of the application, by its user id.
* ``POST /gateway/v1/sessions``: like ``verify``, with a secret sealed to the site's encryption certificate; a session stands.
* ``POST /gateway/v1/open`` and ``/gateway/v1/seal``: one message of a session, from and to the device. Here the body is a line of
  JSON (``Numbered``) followed by the message as it is; the answer is the message alone.
* ``POST /gateway/v1/close`` ends a session.

An answer of another status than 200 carries ``{"code": …}`` of ``Refusal``.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from services.integrations.gateway.texts import LAST, RANDOM_BYTES, Purpose

ROOT: Final = "/gateway/v1"
MOST_MESSAGE_BYTES: Final = 24_000_000
Written = Annotated[Base64Bytes, Field(max_length=12_000)]
Signature = Annotated[Base64Bytes, Field(min_length=8, max_length=120)]
Random = Annotated[Base64Bytes, Field(min_length=RANDOM_BYTES, max_length=RANDOM_BYTES)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Session = Annotated[str, Field(pattern=r"^[\w\-]{16,64}$")]
Host = Annotated[str, Field(pattern=r"^[\w\-.:\[\]]{1,120}$")]
Subject = Annotated[str, Field(pattern=r"^[\w\-.@+]{1,150}$")]


class Strict(BaseModel):
    """What is not in the contract is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Refusal(StrEnum):
    """Why the gateway did not do what was asked."""

    NOT_SIGNED = "not_signed"
    BAD_REQUEST = "bad_request"
    UNKNOWN = "unknown"
    SESSION_UNKNOWN = "session_unknown"
    REPLAYED = "replayed"
    TAMPERED = "tampered"
    BROKEN = "broken"


class Verdict(StrEnum):
    """What the gateway says of a device's answer."""

    GOOD = "good"
    SIGNATURE_WRONG = "signature_wrong"
    UNTRUSTED = "untrusted"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CHALLENGE_UNKNOWN = "challenge_unknown"


class State(StrEnum):
    """How a certificate stands."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Refused(Strict):
    """An answer that is no success."""

    code: Refusal


class AskChallenge(Strict):
    """A wish for a challenge, with random bytes of the device that the site is to sign."""

    purpose: Purpose
    host: Host
    random: Random


class Challenged(Strict):
    """A challenge until a moment; the site's certificates, those of its authorities, and its signature over ``site_text``."""

    challenge: Random
    issued_at: dt.datetime
    expires_at: dt.datetime
    site: Written
    encryption: Written
    authorities: Annotated[list[Written], Field(max_length=5)] = []
    signature: Signature


class AskVerify(AskChallenge):
    """A device's answer: its certificate and its signature over ``device_text``."""

    challenge: Random
    certificate: Written
    signature: Signature


class Verified(Strict):
    """What the gateway found, repeated with what it was asked about, so that no answer stands for another question."""

    verdict: Verdict
    fingerprint: Fingerprint
    challenge: Random


class AskIssue(Strict):
    """A wish for a certificate of a user of the application; ``request`` is PKCS#10."""

    subject: Subject
    request: Written


class Issued(Strict):
    """A certificate and those of its authorities."""

    certificate: Written
    authorities: Annotated[list[Written], Field(max_length=5)] = []


class AskList(Strict):
    """A question for the certificates of one user."""

    subject: Subject


class Listed(Strict):
    """One certificate and how it stands."""

    fingerprint: Fingerprint
    serial: Annotated[str, Field(max_length=64)]
    not_after: dt.datetime
    state: State


class List(Strict):
    """The certificates of a user, oldest first."""

    certificates: Annotated[list[Listed], Field(max_length=200)]


class AskStatus(Strict):
    """A question for, or the wish to revoke, one certificate."""

    fingerprint: Fingerprint


class Status(Strict):
    """How one certificate stands."""

    fingerprint: Fingerprint
    state: State


class AskSession(AskVerify):
    """A device's answer that opens a session; ``sealed_secret`` is SM2 to the site's encryption certificate, signed as well."""

    sealed_secret: Annotated[Base64Bytes, Field(min_length=98, max_length=400)]


class Opened(Verified):
    """A session that stands until a moment, if the verdict is good, and the site's signature over ``session_text``."""

    session: Session | None = None
    expires_at: dt.datetime | None = None
    signature: Signature | None = None


class Numbered(Strict):
    """Which message of which session; every number is taken once from the device, and once to it."""

    session: Session
    sequence: Annotated[int, Field(gt=0, lt=LAST)]


class AskClose(Strict):
    """A wish to end a session."""

    session: Session


class Done(Strict):
    """It is done."""
