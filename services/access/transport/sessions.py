"""Sealed sessions on our side: whose they are, until when, and which messages of them were taken. They live in Redis only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from django.utils import timezone

from geo.errors import Conflict
from services.access.models import User
from services.access.signin.queries import certificates_of
from services.integrations.gateway.client import OpenedSession, connected_gateway

MOST_BYTES: Final = 16_000_000
LONGEST_S: Final = 12 * 3600


@dataclass(frozen=True, slots=True)
class SealedSession:
    """A session of the gateway that belongs to an account and one certificate of it."""

    session: str
    user_id: int
    fingerprint: str


def begin_session(*, user: User, fingerprint: str, opened: OpenedSession) -> SealedSession:
    """Remember whose session it is, no longer than the gateway does."""
    made = SealedSession(opened.session, user.pk, fingerprint)
    seconds = min(LONGEST_S, int((opened.expires_at - timezone.now()).total_seconds()))
    if seconds <= 0:
        raise _gone()
    cache.set(_place(made.session), (made.user_id, made.fingerprint), timeout=seconds)
    return made


def opened_message(*, user: User, session: str, sequence: int, sealed: bytes) -> bytes:
    """Return what a device of an account sent, once. Raises ``Conflict``, ``Unavailable``.

    The gateway refuses a number it has seen; so do we, whatever it says. A certificate that counts no more ends its sessions.
    """
    kept = cache.get(_place(session))
    if kept is None or kept[0] != user.pk:
        raise _gone()
    if not certificates_of(user).filter(fingerprint=kept[1]).exists():
        cache.delete(_place(session))
        raise _gone()
    plain = connected_gateway().open(session, sequence, sealed)
    if not cache.add(f"{_place(session)}:{sequence}", 1, timeout=LONGEST_S):
        raise Conflict("sealed_replayed", "这条消息已经收到过，没有再处理。")
    return plain


def sealed_message(*, session: str, sequence: int, plain: bytes) -> bytes:
    """Return the answer to the message of a number, sealed for the device. Raises ``Conflict``, ``Unavailable``."""
    return connected_gateway().seal(session, sequence, plain)


def _place(session: str) -> str:
    return f"sealed-session:{session}"


def _gone() -> Conflict:
    return Conflict("sealed_session_unknown", "安全会话已结束，或不属于这个账号。请重新建立安全会话后再发。")
