"""Our side of a security authentication gateway: every answer is read by the letter, and nothing is believed that we can check.

What uses a challenge or a number up is never asked twice; questions are, where they did not arrive.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import Base64Bytes, BaseModel, ValidationError

from geo.errors import Conflict, Unavailable
from services.crypto.certificates import Certificate, CertificateRefused, issuer_among, read_certificate
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.gateway import schemas as s
from services.integrations.gateway.texts import Challenge, Purpose
from services.integrations.http import Answer, Upstream, ask
from services.integrations.signing import signed_headers

Kind = TypeVar("Kind", bound=BaseModel)
NAME: Final = "安全认证网关"
MOST_SKEW: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge that the site signed, checked, with everything a device needs to check it itself."""

    question: Challenge
    expires_at: dt.datetime
    site: Certificate
    encryption: Certificate
    authorities: tuple[Certificate, ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that stands, and the site's signature that says so to the device."""

    session: str
    expires_at: dt.datetime
    signature: bytes


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway this installation is connected to. ``roots`` are the authorities we trust ourselves; without any, the
    gateway's word on a chain is all there is.
    """

    upstream: Upstream
    app: str
    secret: str
    roots: tuple[Certificate, ...] = ()

    def challenge(self, purpose: Purpose, *, host: str, random: bytes) -> Asked:
        """Return a challenge. Raises ``AnswerUnclear`` for a clock that is wrong and for a site that proves nothing."""
        told = self._ask("challenge", s.AskChallenge(purpose=purpose, host=host, random=_text(random)), s.Challenged)
        now = dt.datetime.now(dt.UTC)
        if abs(told.issued_at - now) > MOST_SKEW or told.expires_at <= now:
            raise AnswerUnclear(
                "gateway_clock", f"{NAME}的时钟与本系统相差超过 5 分钟，暂时不能用证书。请联系系统管理员校时。"
            )
        question = Challenge(purpose, host, random, told.challenge)
        try:
            site, encryption = read_certificate(told.site), read_certificate(told.encryption)
            authorities = tuple(read_certificate(each) for each in told.authorities)
        except CertificateRefused as fault:
            raise _unclear("a certificate of the site") from fault
        proven = site.signs and site.public.verify(question.site_text(told.encryption), told.signature)
        trusted = all(self.trusts(each) and each.covers(now) for each in (site, encryption))
        if not proven or not encryption.encrypts or not trusted:
            raise AnswerUnclear("site_untrusted", f"{NAME}没有证明自己的身份，已停止。请联系系统管理员。")
        return Asked(question, told.expires_at, site, encryption, authorities, told.signature)

    def trusts(self, certificate: Certificate) -> bool:
        """Say whether one of our own authorities signed a certificate; where we have none it is the gateway's to say."""
        return not self.roots or issuer_among(certificate, self.roots) is not None

    def verify(self, question: Challenge, certificate: Certificate, signature: bytes) -> s.Verdict:
        """Return what the gateway says of a device's answer. The challenge is used up."""
        return self._same(self._ask("verify", s.AskVerify(**_answered(question, certificate, signature)), s.Verified),
                          question, certificate)  # fmt: skip

    def open_session(
        self, question: Challenge, certificate: Certificate, signature: bytes, sealed_secret: bytes
    ) -> tuple[s.Verdict, OpenedSession | None]:
        """Return what the gateway says of a device's answer, and the session that stands if that is good."""
        wanted = s.AskSession(**_answered(question, certificate, signature), sealed_secret=_text(sealed_secret))
        told = self._ask("sessions", wanted, s.Opened)
        verdict = self._same(told, question, certificate)
        if verdict is not s.Verdict.GOOD:
            return verdict, None
        if told.session is None or told.expires_at is None or told.signature is None:
            raise _unclear("a session without its parts")
        return verdict, OpenedSession(told.session, told.expires_at, told.signature)

    def open(self, session: str, sequence: int, sealed: bytes) -> bytes:
        """Return a message of a device. Raises ``Conflict`` for one that was changed or has been taken before."""
        return self._message("open", session, sequence, sealed)

    def seal(self, session: str, sequence: int, plain: bytes) -> bytes:
        """Return a message for a device, sealed under a number that was not used towards it before."""
        return self._message("seal", session, sequence, plain)

    def close(self, session: str) -> None:
        """End a session."""
        self._ask("close", s.AskClose(session=session), s.Done)

    def issue(self, subject: str, request: bytes) -> tuple[Certificate, tuple[Certificate, ...]]:
        """Return a new certificate of a user, for a request of his device (PKCS#10), and those of its authorities."""
        told = self._ask("issue", s.AskIssue(subject=subject, request=_text(request)), s.Issued)
        try:
            return read_certificate(told.certificate), tuple(read_certificate(each) for each in told.authorities)
        except CertificateRefused as fault:
            raise _unclear("an issued certificate") from fault

    def certificates_of(self, subject: str) -> tuple[s.Listed, ...]:
        """Return the certificates that were issued to a user, oldest first."""
        return tuple(self._ask("list", s.AskList(subject=subject), s.List, tries=2).certificates)

    def status(self, fingerprint: str) -> s.State:
        """Return how a certificate stands."""
        return self._state("status", fingerprint)

    def revoke(self, fingerprint: str) -> s.State:
        """Revoke a certificate for good, and return how it stands: one that is not the gateway's is unknown to it."""
        return self._state("revoke", fingerprint)

    def _state(self, act: str, fingerprint: str) -> s.State:
        told = self._ask(act, s.AskStatus(fingerprint=fingerprint), s.Status, tries=2)
        if told.fingerprint != fingerprint:
            raise _unclear("another certificate")
        return told.state

    @staticmethod
    def _same(told: s.Verified, question: Challenge, certificate: Certificate) -> s.Verdict:
        if told.fingerprint != certificate.fingerprint or told.challenge != question.challenge:
            raise _unclear("an answer to another question")
        return told.verdict

    def _message(self, act: str, session: str, sequence: int, message: bytes) -> bytes:
        head = s.Numbered(session=session, sequence=sequence).model_dump_json().encode()
        answer = self._sent(act, head + b"\n" + message, "application/octet-stream", 1)
        if answer.status != 200:
            self._refuse(answer)
        return answer.body

    def _ask(self, act: str, asked: BaseModel, kind: type[Kind], tries: int = 1) -> Kind:
        answer = self._sent(act, asked.model_dump_json().encode(), "application/json", tries)
        if answer.status != 200:
            self._refuse(answer)
        try:
            return kind.model_validate_json(answer.body)
        except ValidationError as fault:
            raise _unclear(f"status {answer.status}") from fault

    def _sent(self, act: str, body: bytes, kind: str, tries: int) -> Answer:
        """Ask up to so many times, each signed anew: a nonce counts once."""
        path = f"{s.ROOT}/{act}"
        whole = urlsplit(self.upstream.root).path.rstrip("/") + path
        for left in reversed(range(tries)):
            headers = signed_headers(app=self.app, secret=self.secret, method="POST", path=whole, body=body)
            headers["Content-Type"] = kind
            try:
                return ask(
                    self.upstream, "POST", path, body=body, headers=headers, most_bytes=s.MOST_MESSAGE_BYTES + 1_000
                )  # fmt: skip
            except Unavailable:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _refuse(self, answer: Answer) -> None:
        try:
            code = s.Refused.model_validate_json(answer.body).code
        except ValidationError as fault:
            raise _unclear(f"status {answer.status}") from fault
        if code in _MESSAGES:
            raise Conflict(f"sealed_{code.value}", _MESSAGES[code])
        raise Unavailable("gateway_refused", f"{NAME}没有受理，请稍后再试；一直如此请联系系统管理员。", why=code.value)


_MESSAGES: Final = {
    s.Refusal.SESSION_UNKNOWN: "安全会话已结束，请重新建立安全会话后再发。",
    s.Refusal.REPLAYED: "这条消息已经收到过，没有再处理。",
    s.Refusal.TAMPERED: "这条消息在途中被改动过，或不属于这个安全会话，没有处理。",
}


def is_connected() -> bool:
    """Say whether a gateway is configured."""
    return bool(settings.GATEWAY_URL)


def connected_gateway() -> Gateway:
    """Return the configured gateway. Raises ``NotConnected`` where there is none, or half a configuration."""
    parts = urlsplit(settings.GATEWAY_URL)
    inside = (parts.hostname or "").lower() in settings.INSIDE_HOSTS
    whole = settings.GATEWAY_URL and settings.GATEWAY_APP and settings.GATEWAY_SECRET
    if not whole or (parts.scheme != "https" and not inside):
        raise NotConnected("not_connected", f"{NAME}还没有接通，不能用证书。请用别的方式登录，或联系系统管理员。")
    upstream = Upstream(
        key="gateway", name=NAME, root=settings.GATEWAY_URL, total_s=settings.GATEWAY_TIMEOUT_S, inside=inside
    )
    roots = _roots(Path(settings.GATEWAY_ROOTS)) if settings.GATEWAY_ROOTS else ()
    return Gateway(upstream, settings.GATEWAY_APP, settings.GATEWAY_SECRET, roots)


@functools.cache
def _roots(path: Path) -> tuple[Certificate, ...]:
    """Return the authorities in a file of PEM texts, read once. Raises ``NotConnected`` for a file that holds none."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    try:
        pieces = path.read_text("ascii").split(begin)[1:]
        found = tuple(read_certificate(base64.b64decode(piece.partition(end)[0])) for piece in pieces)
    except (OSError, ValueError, CertificateRefused) as fault:
        raise NotConnected("roots_unreadable", f"{NAME}的根证书文件读不出来，请系统管理员核对。") from fault
    if not found or not all(each.is_authority for each in found):
        raise NotConnected("roots_unreadable", f"{NAME}的根证书文件里没有可用的根证书，请系统管理员核对。")
    return found


def _answered(question: Challenge, certificate: Certificate, signature: bytes) -> dict[str, Any]:
    return {
        "purpose": question.purpose,
        "host": question.host,
        "random": _text(question.random),
        "challenge": _text(question.challenge),
        "certificate": _text(certificate.der),
        "signature": _text(signature),
    }


def _text(data: bytes) -> Base64Bytes:
    """Return bytes as the contract's models take them: already written in Base64."""
    return base64.b64encode(data)


def _unclear(why: str) -> AnswerUnclear:
    return AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂，请稍后再试；一直如此请联系系统管理员。", why=why)
