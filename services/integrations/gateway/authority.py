"""A little certificate authority for the simulator: a root, certificates of SM2 keys under it, and a list of the revoked."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from dataclasses import dataclass
from typing import Any, Final

from services.crypto.certificates import Certificate, key_info, read_certificate
from services.crypto.der import INTEGER, OCTETS, SEQUENCE, tagged
from services.crypto.primitives import sm3
from services.crypto.sm2 import PrivateKey, PublicKey, new_key

ALGORITHM: Final = tagged(SEQUENCE, bytes.fromhex("06082a811ccf55018375"))
"""SM2 with SM3, 1.2.156.10197.1.501."""
BITS, OBJECT, BOOLEAN, UTC_TIME = 0x03, 0x06, 0x01, 0x17
DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key."""

    certificate: Certificate
    key: PrivateKey


class Authority:
    """An authority with its own key. ``issued`` are its certificates by fingerprint, ``revoked`` those that count no more."""

    def __init__(self, name: str = "模拟认证中心") -> None:
        """Make the root."""
        self.key = new_key()
        self._name = _name(name)
        self.issued: dict[str, Certificate] = {}
        self.subjects: dict[str, list[str]] = {}
        self.revoked: set[str] = set()
        self._lock = threading.Lock()
        self.root = self._signed(self._name, self.key.public, days=10 * DAYS, authority=True)

    def issue(
        self, common_name: str, public: PublicKey, *, begins: dt.datetime | None = None, days: int = DAYS,
        encrypts: bool = False,
    ) -> Certificate:  # fmt: skip
        """Return a new certificate of somebody's key, for signing or for encryption, never for both."""
        made = self._signed(_name(common_name), public, begins=begins, days=days, encrypts=encrypts)
        with self._lock:
            self.issued[made.fingerprint] = made
            self.subjects.setdefault(common_name, []).append(made.fingerprint)
        return made

    def pair(self, common_name: str, **more: Any) -> Pair:
        """Return a certificate of a new key, and the key."""
        key = new_key()
        return Pair(self.issue(common_name, key.public, **more), key)

    def _signed(
        self, subject: bytes, public: PublicKey, *, begins: dt.datetime | None = None, days: int,
        authority: bool = False, encrypts: bool = False,
    ) -> Certificate:  # fmt: skip
        begins = begins or dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
        content = tagged(
            SEQUENCE,
            tagged(0xA0, tagged(INTEGER, b"\x02"))
            + tagged(INTEGER, b"\x01" + secrets.token_bytes(15))
            + ALGORITHM
            + self._name
            + tagged(SEQUENCE, _moment(begins) + _moment(begins + dt.timedelta(days=days)))
            + subject
            + key_info(public)
            + tagged(0xA3, tagged(SEQUENCE, _extensions(public, self.key.public, authority, encrypts))),
        )
        signature = tagged(BITS, b"\x00" + self.key.sign(content))
        return read_certificate(tagged(SEQUENCE, content + ALGORITHM + signature))


def request_of(common_name: str, key: PrivateKey) -> bytes:
    """Return a request for a certificate (PKCS#10) that its own key signed."""
    content = tagged(SEQUENCE, tagged(INTEGER, b"\x00") + _name(common_name) + key_info(key.public) + tagged(0xA0, b""))
    return tagged(SEQUENCE, content + ALGORITHM + tagged(BITS, b"\x00" + key.sign(content)))


def _name(common_name: str) -> bytes:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "圈图"), (NameOID.COMMON_NAME, common_name[:64]))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts]).public_bytes()


def _extensions(public: PublicKey, issuer: PublicKey, authority: bool, encrypts: bool) -> bytes:
    from cryptography import x509

    usage = x509.KeyUsage(
        digital_signature=not authority and not encrypts, content_commitment=False, key_encipherment=encrypts,
        data_encipherment=encrypts, key_agreement=False, key_cert_sign=authority, crl_sign=authority,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    constraints = x509.BasicConstraints(ca=authority, path_length=None)
    itself, above = (x509.SubjectKeyIdentifier(_key_name(each)) for each in (public, issuer))
    known = x509.AuthorityKeyIdentifier(above.digest, None, None)
    parts: list[tuple[x509.ExtensionType, bool]] = [(constraints, True), (usage, True), (itself, False), (known, False)]
    return b"".join(
        tagged(
            SEQUENCE,
            _oid(each.oid.dotted_string)
            + (tagged(BOOLEAN, b"\xff") if critical else b"")
            + tagged(OCTETS, each.public_bytes()),
        )
        for each, critical in parts
    )


def _key_name(public: PublicKey) -> bytes:
    return sm3(key_info(public))[:20]


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tagged(OBJECT, bytes((40 * first + second, *rest)))


def _moment(moment: dt.datetime) -> bytes:
    return tagged(UTC_TIME, moment.astimezone(dt.UTC).strftime("%y%m%d%H%M%SZ").encode())
