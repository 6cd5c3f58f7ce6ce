"""A gateway to try against: a real HTTP server with an authority of its own, and moods in which it fails or lies."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from services.crypto.certificates import Certificate, CertificateRefused, read_certificate, read_request
from services.crypto.primitives import Tampered
from services.crypto.sm2 import NotOpened
from services.integrations.gateway import schemas as s
from services.integrations.gateway.authority import Authority, Pair
from services.integrations.gateway.texts import DOWN, UP, Challenge, SessionKeys
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator

CHALLENGE_S: Final = 120
SESSION_S: Final = 3_600
WINDOW: Final = 256
BINARY: Final = "application/octet-stream"


class Mood(StrEnum):
    """How the simulator behaves. From ``SAYS_GOOD`` on it lies."""

    WELL = "well"
    SLOW = "slow"
    SILENT = "silent"
    GARBAGE = "garbage"
    WRONG_SHAPE = "wrong_shape"
    BROKEN = "broken"
    CLOCK_AHEAD = "clock_ahead"
    SAYS_GOOD = "says_good"
    OTHER_ANSWER = "other_answer"
    OTHER_SITE = "other_site"


@dataclass
class Running:
    """A session: its keys, until when, and which numbers were taken each way."""

    keys: SessionKeys
    ends: dt.datetime
    taken: dict[str, set[int]] = field(default_factory=lambda: {UP: set(), DOWN: set()})

    def first(self, way: str, sequence: int) -> bool:
        """Take a number once; those further back than the window count as taken."""
        seen = self.taken[way]
        highest = max(seen, default=0)
        if sequence in seen or sequence <= highest - WINDOW:
            return False
        seen.add(sequence)
        self.taken[way] = {each for each in seen if each > max(highest, sequence) - WINDOW}
        return True


class Refuses(Exception):
    """The gateway does not do it, for the reason it carries."""

    def __init__(self, code: s.Refusal) -> None:
        super().__init__(code)
        self.code = code


class Simulator(SignedSimulator):
    """A running gateway. ``authority`` issues what it trusts; ``acts`` counts what was asked; ``mood`` may change at any time."""

    MOST_BYTES = s.MOST_MESSAGE_BYTES + 1_000

    def __init__(
        self, *, app: str, secret: str, port: int = 0, slow_s: float = 5.0, authority: Authority | None = None
    ) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.authority = authority or Authority()
        self.site, self.encryption = self.authority.pair("quantu"), self.authority.pair("quantu", encrypts=True)
        self.mood, self.slow_s = Mood.WELL, slow_s
        self.acts: Counter[str] = Counter()
        self.sessions: dict[str, Running] = {}
        self._challenges: dict[bytes, tuple[Challenge, dt.datetime]] = {}
        self._lock = threading.Lock()
        super().__init__(app=app, secret=secret, port=port)

    def unsigned(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(401, s.Refusal.NOT_SIGNED)

    def misread(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(400, s.Refusal.BAD_REQUEST)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Do what the path says, as the mood has it."""
        act = path.removeprefix(f"{s.ROOT}/")
        self.acts[act] += 1
        if self.mood is Mood.SILENT:
            return None
        if self.mood is Mood.BROKEN:
            return _refused(500, s.Refusal.BROKEN)
        if self.mood is Mood.GARBAGE:
            return Reply(200, GARBAGE_PAGE)
        if self.mood is Mood.WRONG_SHAPE:
            return Reply(200, b'{"verdict": "fine", "challenge": "AAAA", "certificates": 7}')
        if self.mood is Mood.SLOW:
            self.wait(self.slow_s)
        try:
            if act in _NUMBERED:
                return Reply(200, self._message(act, body), BINARY)
            if act not in _ASKED:
                return _refused(404, s.Refusal.UNKNOWN)
            told: dict[str, Any] = getattr(self, f"_{act}")(_ASKED[act].model_validate_json(body))
        except Refuses as fault:
            return _refused(409, fault.code)
        except CertificateRefused:
            return self.misread()
        return Reply(200, json.dumps(told).encode())

    def _challenge(self, asked: s.AskChallenge) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1 if self.mood is Mood.CLOCK_AHEAD else 0)
        question = Challenge(asked.purpose, asked.host, asked.random, secrets.token_bytes(32))
        ends = now + dt.timedelta(seconds=CHALLENGE_S)
        with self._lock:
            self._challenges[question.challenge] = (question, ends)
        site = self._site()
        return {
            "challenge": _text(question.challenge),
            "issued_at": now.isoformat(),
            "expires_at": ends.isoformat(),
            "site": _text(site.certificate.der),
            "encryption": _text(self.encryption.certificate.der),
            "authorities": [_text(self.authority.root.der)],
            "signature": _text(site.key.sign(question.site_text(self.encryption.certificate.der))),
        }

    def _site(self) -> Pair:
        return Authority().pair("quantu") if self.mood is Mood.OTHER_SITE else self.site

    def _verify(self, asked: s.AskVerify) -> dict[str, Any]:
        certificate = read_certificate(asked.certificate)
        return self._told(asked, certificate, self._verdict(asked, certificate))

    def _sessions(self, asked: s.AskSession) -> dict[str, Any]:
        certificate = read_certificate(asked.certificate)
        verdict = self._verdict(asked, certificate, asked.sealed_secret)
        told = self._told(asked, certificate, verdict)
        if verdict is not s.Verdict.GOOD:
            return told
        question = Challenge(asked.purpose, asked.host, asked.random, asked.challenge)
        session, ends = secrets.token_urlsafe(24), dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SESSION_S)
        text = question.session_text(session, asked.sealed_secret)
        try:
            keys = SessionKeys.of(session, self.encryption.key.decrypt(asked.sealed_secret), text)
        except NotOpened:
            raise Refuses(s.Refusal.TAMPERED) from None
        with self._lock:
            self.sessions[session] = Running(keys, ends)
        opened = {"session": session, "expires_at": ends.isoformat(), "signature": _text(self.site.key.sign(text))}
        return {**told, **opened}

    def _told(self, asked: s.AskVerify, certificate: Certificate, verdict: s.Verdict) -> dict[str, Any]:
        other = self.mood is Mood.OTHER_ANSWER
        return {
            "verdict": (s.Verdict.GOOD if self.mood is Mood.SAYS_GOOD else verdict).value,
            "fingerprint": "0" * 64 if other else certificate.fingerprint,
            "challenge": _text(asked.challenge),
        }

    def _verdict(self, asked: s.AskVerify, certificate: Certificate, content: bytes = b"") -> s.Verdict:
        question = Challenge(asked.purpose, asked.host, asked.random, asked.challenge)
        now = dt.datetime.now(dt.UTC)
        with self._lock:
            known = self._challenges.pop(asked.challenge, None)
        if known is None or known[0] != question or known[1] < now:
            return s.Verdict.CHALLENGE_UNKNOWN
        if not certificate.signs or not certificate.public.verify(question.device_text(content), asked.signature):
            return s.Verdict.SIGNATURE_WRONG
        if not certificate.is_signed_by(self.authority.root):
            return s.Verdict.UNTRUSTED
        if not certificate.covers(now):
            return s.Verdict.EXPIRED if now > certificate.not_after else s.Verdict.NOT_YET_VALID
        if certificate.fingerprint in self.authority.revoked:
            return s.Verdict.REVOKED
        return s.Verdict.GOOD

    def _issue(self, asked: s.AskIssue) -> dict[str, Any]:
        made = self.authority.issue(asked.subject, read_request(asked.request).public)
        return {"certificate": _text(made.der), "authorities": [_text(self.authority.root.der)]}

    def _list(self, asked: s.AskList) -> dict[str, Any]:
        found = [self.authority.issued[each] for each in self.authority.subjects.get(asked.subject, [])]
        return {
            "certificates": [
                {
                    "fingerprint": each.fingerprint,
                    "serial": each.serial,
                    "not_after": each.not_after.isoformat(),
                    "state": self._state(each.fingerprint),
                }
                for each in found
            ]
        }

    def _status(self, asked: s.AskStatus) -> dict[str, Any]:
        return {"fingerprint": asked.fingerprint, "state": self._state(asked.fingerprint)}

    def _revoke(self, asked: s.AskStatus) -> dict[str, Any]:
        if asked.fingerprint in self.authority.issued:
            self.authority.revoked.add(asked.fingerprint)
        return self._status(asked)

    def _state(self, fingerprint: str) -> str:
        if fingerprint not in self.authority.issued:
            return s.State.UNKNOWN
        return s.State.REVOKED if fingerprint in self.authority.revoked else s.State.GOOD

    def _close(self, asked: s.AskClose) -> dict[str, Any]:
        with self._lock:
            self.sessions.pop(asked.session, None)
        return {}

    def _message(self, act: str, body: bytes) -> bytes:
        head, found, message = body.partition(b"\n")
        if not found:
            raise Refuses(s.Refusal.BAD_REQUEST)
        asked = s.Numbered.model_validate_json(head)
        way = UP if act == "open" else DOWN
        with self._lock:
            running = self.sessions.get(asked.session)
            if running is None or running.ends < dt.datetime.now(dt.UTC):
                raise Refuses(s.Refusal.SESSION_UNKNOWN)
            keys = running.keys
        try:
            done = keys.open(way, asked.sequence, message) if way == UP else keys.seal(way, asked.sequence, message)
        except Tampered:
            raise Refuses(s.Refusal.TAMPERED) from None
        with self._lock:  # a number is used up by a message that opens, not by one that anybody could send
            if not running.first(way, asked.sequence):
                raise Refuses(s.Refusal.REPLAYED)
        return done


_NUMBERED: Final = frozenset({"open", "seal"})
_ASKED: Final[dict[str, type[BaseModel]]] = {
    "challenge": s.AskChallenge,
    "verify": s.AskVerify,
    "sessions": s.AskSession,
    "issue": s.AskIssue,
    "list": s.AskList,
    "status": s.AskStatus,
    "revoke": s.AskStatus,
    "close": s.AskClose,
}


def _refused(status: int, code: s.Refusal) -> Reply:
    return Reply(status, s.Refused(code=code).model_dump_json().encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
