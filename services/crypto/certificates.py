"""X.509 certificates of SM2 keys (GM/T 0015) and requests for them (PKCS#10, GM/T 0092): read, and judged one by one.

A chain, revocation and challenges are the business of who asks; nothing here knows of accounts.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from services.crypto.der import SEQUENCE, item, tagged
from services.crypto.primitives import sm3
from services.crypto.sm2 import KeyRefused, PublicKey, read_public_key

SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
MOST_BYTES: Final = 8_192
VERSION, EXTENSIONS, INTEGER, BIT_STRING = 0xA0, 0xA3, 0x02, 0x03


class CertificateRefused(Exception):
    """Bytes are no certificate, or request for one, of an SM2 key signed by SM2 over SM3."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it reads. ``serial`` in hexadecimal digits, names as RFC 4514 writes them, moments in UTC."""

    der: bytes = field(repr=False)
    serial: str
    subject: str
    common_name: str
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime
    public: PublicKey = field(repr=False)
    is_authority: bool
    signs: bool
    encrypts: bool
    _content: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Return the SM3 digest of the certificate, 64 hexadecimal digits: what stands for it everywhere else."""
        return sm3(self.der).hex()

    def covers(self, moment: dt.datetime) -> bool:
        """Say whether a moment lies in the days for which it was issued."""
        return self.not_before <= moment <= self.not_after

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Say whether an authority, which must be one and bear the issuer's name, signed this certificate."""
        named = issuer.is_authority and issuer.subject == self.issuer
        return named and issuer.public.verify(self._content, self._signature)


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request for a certificate whose own signature holds: whoever made it has the private key."""

    common_name: str
    public: PublicKey


def read_certificate(der: bytes) -> Certificate:
    """Return a certificate in DER. Raises ``CertificateRefused`` for anything else, other algorithms included."""
    from cryptography import x509

    try:
        if not 0 < len(der) <= MOST_BYTES:
            raise ValueError("a size of no sense")
        found = x509.load_der_x509_certificate(der)
        if found.signature_algorithm_oid.dotted_string != SM2_WITH_SM3:
            raise ValueError("another algorithm")
        body, _ = item(found.tbs_certificate_bytes, SEQUENCE)
        _, body = item(body, VERSION)
        _, body = item(body, INTEGER)
        if _algorithm_outside(der, found.tbs_certificate_bytes) != item(body, SEQUENCE)[0]:
            raise ValueError("two algorithms")  # RFC 5280, 4.1.1.2
        usage = _usage(found)
        return Certificate(
            der=der,
            serial=f"{found.serial_number:x}",
            subject=found.subject.rfc4514_string(),
            common_name=_common_name(found.subject),
            issuer=found.issuer.rfc4514_string(),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            public=_public(_key_info(found.tbs_certificate_bytes)),
            is_authority=_is_authority(found) and (usage is None or usage.key_cert_sign),
            signs=usage is None or usage.digital_signature,
            encrypts=usage is None or usage.key_encipherment or usage.data_encipherment,
            _content=found.tbs_certificate_bytes,
            _signature=found.signature,
        )
    except (ValueError, KeyRefused, x509.InvalidVersion, x509.DuplicateExtension) as fault:
        raise CertificateRefused(str(fault)) from fault


def read_request(der: bytes) -> CertificateRequest:
    """Return a request in DER that its own key signed. Raises ``CertificateRefused``."""
    from cryptography import x509

    try:
        if not 0 < len(der) <= MOST_BYTES:
            raise ValueError("a size of no sense")
        found = x509.load_der_x509_csr(der)
        if found.signature_algorithm_oid.dotted_string != SM2_WITH_SM3:
            raise ValueError("another algorithm")
        _algorithm_outside(der, found.tbs_certrequest_bytes)
        body, _ = item(found.tbs_certrequest_bytes, SEQUENCE)
        _, body = item(body, INTEGER)
        _, body = item(body, SEQUENCE)
        public = _public(tagged(SEQUENCE, item(body, SEQUENCE)[0]))
        if not public.verify(found.tbs_certrequest_bytes, found.signature):
            raise ValueError("not signed by its own key")
        return CertificateRequest(_common_name(found.subject), public)
    except (ValueError, KeyRefused, x509.InvalidVersion) as fault:
        raise CertificateRefused(str(fault)) from fault


def issuer_among(certificate: Certificate, authorities: Iterable[Certificate]) -> Certificate | None:
    """Return the authority that signed a certificate, ``None`` for none of them."""
    return next((each for each in authorities if certificate.is_signed_by(each)), None)


def key_info(public: PublicKey) -> bytes:
    """Return a public key as SubjectPublicKeyInfo in DER."""
    return base64.b64decode("".join(public.pem.strip().splitlines()[1:-1]))


def _algorithm_outside(der: bytes, content: bytes) -> bytes:
    """Return the algorithm named beside the signature, which must be of whole octets: no bit of it may say nothing."""
    algorithm, rest = item(item(der, SEQUENCE)[0][len(content) :], SEQUENCE)
    if item(rest, BIT_STRING)[0][:1] != b"\0":
        raise ValueError("a signature of a part of an octet")
    return algorithm


def _key_info(content: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo in the signed content: the sixth value after the version."""
    body, _ = item(content, SEQUENCE)
    _, body = item(body, VERSION)
    _, body = item(body, INTEGER)
    for _ in range(4):  # algorithm, issuer, validity, subject
        _, body = item(body, SEQUENCE)
    return tagged(SEQUENCE, item(body, SEQUENCE)[0])


def _public(info: bytes) -> PublicKey:
    text = base64.encodebytes(info).decode("ascii")
    return read_public_key(f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n")


def _common_name(name: Any) -> str:
    from cryptography.x509.oid import NameOID

    return "".join(str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)[:1])


def _usage(found: Any) -> Any:
    from cryptography import x509

    try:
        return found.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _is_authority(found: Any) -> bool:
    from cryptography import x509

    try:
        return bool(found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
