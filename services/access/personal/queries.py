"""Reads of personal data: consents, what is kept of an account, its request to be erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.models import Consent, Erasure
from services.access.personal.registry import call, parts, purpose_named


def has_consented(user: User, purpose: str) -> bool:
    """Say whether somebody agrees to a purpose now, in the words it has now."""
    version = purpose_named(purpose).version
    return Consent.objects.filter(user=user, purpose=purpose, version=version, withdrawn_at=None).exists()


def consents_of(user: User) -> list[Consent]:
    """Return what somebody agreed to and took back, newest first."""
    return list(Consent.objects.filter(user=user))


def kept_of(user: User) -> Iterator[tuple[str, str, Iterator[Mapping[str, Any]]]]:
    """Yield key, title and rows of every part of what is kept of an account; rows are read as they are taken."""
    for part in parts().values():
        yield part.key, part.title, iter(call(part.gives, user))


def erasure_of(user: User) -> Erasure | None:
    """Return the request of an account that waits, if there is one."""
    return Erasure.objects.filter(user=user, cancelled_at=None, done_at=None).first()


def reasons_to_wait(user: User) -> list[str]:
    """Return why an account cannot be erased now."""
    found = [call(part.blocks, user) for part in parts().values() if part.blocks]
    return [reason for reason in found if reason]
