"""A platform's events as they come: the line after a number, then whatever is written, until its right to read ends.

The line is read from the database each time; Redis only says that there is something to read, and is believed for a quarter of
a minute at most.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import redis.asyncio as redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.utils import timezone

from geo.errors import TooMany
from services.access.clients.models import ApiClient, ClientKey
from services.access.clients.queries import client_calling
from services.fencing.following.outbox import channel_of
from services.fencing.following.queries import events_after, occurrence_of
from services.integrations.receivers.schemas import Occurrence

OPERATION: Final = "fences.events"
HEARTBEAT_S: Final = 15.0
LONGEST: Final = dt.timedelta(hours=1)
"""After so long a stream ends by itself; its reader goes on where it stopped."""
AT_ONCE: Final = 200
MOST_OF_ONE: Final = 4
MOST: Final = 200


@dataclass(slots=True)
class Places:
    """The streams of this process, by platform; one process serves them all."""

    held: Counter[int] = field(default_factory=Counter)

    def check(self, client: ApiClient) -> None:
        """Raise ``TooMany`` when there is no place for another stream."""
        if self.held[client.pk] >= MOST_OF_ONE or self.held.total() >= MOST:
            said = f"一个平台最多同时打开 {MOST_OF_ONE} 个事件流，请先关闭别的，或用 GET /api/v1/fences/events 读取。"
            raise TooMany("streams_many", said, retry_after=30, most=MOST_OF_ONE)


PLACES: Final = Places()


async def frames(client: ApiClient, key: ClientKey, after: int) -> AsyncIterator[bytes]:
    """Yield the events of a platform after a number as server-sent events, with a comment as heartbeat."""
    PLACES.held[client.pk] += 1
    end = time.monotonic() + LONGEST.total_seconds()
    store = redis.Redis.from_url(settings.REDIS_URL)
    news = store.pubsub()
    try:
        await news.subscribe(channel_of(client.pk))
        yield b"retry: 3000\n\n"
        while time.monotonic() < end:
            found = await _read(client.pk, key.pk, after)
            if found is None:
                yield b'event: end\ndata: {"code": "stopped"}\n\n'
                return
            for event in found:
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()
                after = event.number
            if not found and not await _heard(news):
                yield b": \n\n"
    finally:
        PLACES.held[client.pk] -= 1
        await news.aclose()  # type: ignore[no-untyped-call]
        await store.aclose()


async def _heard(news: redis.client.PubSub) -> bool:
    """Wait until there is something to read, a heartbeat long at most."""
    until = time.monotonic() + HEARTBEAT_S
    while (left := until - time.monotonic()) > 0:
        told = await news.get_message(timeout=left)
        if told is not None and told["type"] == "message":
            return True
    return False


@sync_to_async
def _read(client_id: int, key_id: UUID, after: int) -> list[Occurrence] | None:
    """Return the events after a number; ``None`` when the platform or its key may not read them any more."""
    try:
        client = ApiClient.objects.filter(pk=client_id).first()
        may = client is not None and client_calling(client.app, day=timezone.localdate()) is not None
        if client is None or not may or OPERATION not in client.operations:
            return None
        if not ClientKey.objects.filter(pk=key_id, stopped_at=None).exists():
            return None
        return [occurrence_of(row) for row in events_after(client, after, limit=AT_ONCE)]
    finally:
        connections.close_all()  # a stream waits for hours; a connection of it would wait as long
