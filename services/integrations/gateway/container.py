"""The telephone's side: what the certificate container of a mobile terminal does, for tests and as a pattern for its makers.

Its private key never leaves it. It checks the site before it signs anything, and keeps count of its messages.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.crypto.certificates import Certificate, CertificateRefused, issuer_among, read_certificate
from services.crypto.sm2 import PrivateKey, new_key
from services.integrations.gateway.authority import request_of
from services.integrations.gateway.texts import DOWN, RANDOM_BYTES, SECRET_BYTES, UP, Challenge, SessionKeys


class SiteRefused(Exception):
    """Whoever sent the challenge did not prove to be the site: nothing is signed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A challenge as it reaches a telephone, in bytes."""

    question: Challenge
    site: bytes
    encryption: bytes
    signature: bytes


@dataclass
class Container:
    """A container that trusts some authorities. ``host`` is the only one it signs for."""

    roots: Sequence[Certificate]
    host: str
    key: PrivateKey = field(default_factory=new_key)
    certificate: Certificate | None = None
    _keys: SessionKeys | None = None
    _sent: int = 0

    def random(self) -> bytes:
        """Return random bytes of its own that a site is to sign."""
        return secrets.token_bytes(RANDOM_BYTES)

    def request(self, subject: str) -> bytes:
        """Return a request for a certificate (PKCS#10)."""
        return request_of(subject, self.key)

    def install(self, der: bytes) -> Certificate:
        """Keep a certificate of the container's own key. Raises ``ValueError`` for another's."""
        certificate = read_certificate(der)
        if certificate.public != self.key.public:
            raise ValueError("a certificate of another key")
        self.certificate = certificate
        return certificate

    def sign(self, shown: Shown, content: bytes = b"") -> bytes:
        """Return the signature over a challenge. Raises ``SiteRefused`` for a site that does not prove who it is."""
        self._check(shown)
        return self.key.sign(shown.question.device_text(content))

    def seal_secret(self, shown: Shown) -> tuple[bytes, bytes]:
        """Return a fresh secret, and the same sealed to the site's encryption certificate."""
        self._check(shown)
        secret = secrets.token_bytes(SECRET_BYTES)
        return secret, read_certificate(shown.encryption).public.encrypt(secret)

    def begin(self, shown: Shown, session: str, secret: bytes, sealed_secret: bytes, signature: bytes) -> None:
        """Begin a session that the site has confirmed. Raises ``SiteRefused``."""
        text = shown.question.session_text(session, sealed_secret)
        if not read_certificate(shown.site).public.verify(text, signature):
            raise SiteRefused("the session is not the site's")
        self._keys, self._sent = SessionKeys.of(session, secret, text), 0

    def seal(self, plain: bytes) -> tuple[str, int, bytes]:
        """Return session, number and the next message, sealed."""
        assert self._keys is not None
        self._sent += 1
        return self._keys.session, self._sent, self._keys.seal(UP, self._sent, plain)

    def open(self, sequence: int, sealed: bytes) -> bytes:
        """Return the answer to the message of a number. Raises ``Tampered``."""
        assert self._keys is not None
        return self._keys.open(DOWN, sequence, sealed)

    def _check(self, shown: Shown) -> None:
        try:
            site, encryption = read_certificate(shown.site), read_certificate(shown.encryption)
        except CertificateRefused as fault:
            raise SiteRefused("no certificate") from fault
        now = dt.datetime.now(dt.UTC)
        trusted = all(issuer_among(each, self.roots) and each.covers(now) for each in (site, encryption))
        text = shown.question.site_text(shown.encryption)
        if shown.question.host != self.host or not trusted or not site.public.verify(text, shown.signature):
            raise SiteRefused("another site")
