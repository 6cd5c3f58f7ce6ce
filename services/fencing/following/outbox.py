"""The outbox of receivers: written in the transaction of the events, so that none is lost and none is told that was not kept."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Final

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from redis import Redis

from services.fencing.following.models import FenceDelivery, FenceEvent, Receiver

DELIVER_TASK: Final = "services.fencing.following.deliver"
_CALLED: Final = "fences:deliver-called"
DEADLINE: Final = dt.timedelta(hours=24)
"""How long an event is tried; then it lies with those that staff may send again."""


def queue_events(rows: Sequence[FenceEvent]) -> None:
    """Put new events of one platform into the outbox of its receiver, if it has one, and let its streams look."""
    client_id = rows[0].client_id
    transaction.on_commit(lambda: _call(client_id), robust=True)  # who misses it looks by itself before long
    receiver = Receiver.objects.filter(client_id=client_id).first()
    if receiver is None:
        return
    now = timezone.now()
    FenceDelivery.objects.bulk_create(
        FenceDelivery(receiver=receiver, event=row, subject_id=row.subject_id, next_at=now, until=now + DEADLINE)
        for row in rows
    )
    transaction.on_commit(wake, robust=True)  # without a queue they wait for the next minute


def channel_of(client_id: int) -> str:
    """Return the name under which Redis is told that a platform has new events."""
    return f"quantu:fence-events:{client_id}"


def _call(client_id: int) -> None:
    _store().publish(channel_of(client_id), b"")


@functools.cache
def _store() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=3)


def wake() -> None:
    """Let a worker deliver what is due; one that is called already, and has not begun, sees this too."""
    if cache.add(_CALLED, 1, timeout=60):
        current_app.send_task(DELIVER_TASK)


def heard() -> None:
    """Take note that a worker begins: what is written from now on calls another."""
    cache.delete(_CALLED)
