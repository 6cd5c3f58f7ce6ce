"""Tells receivers what is due, one event at a time, and survives every way this can go wrong.

An event is claimed in a transaction of its own, posted outside of any, and closed in a third. Who dies in between leaves a claim
that runs out; the next one posts the same event under the same id. Of a subject the later event waits for the earlier one.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from geo.errors import CityError
from services.crypto.sealing import unseal
from services.fencing.following.models import DeliveryState, FenceDelivery, Receiver
from services.fencing.following.queries import SECRET_FIELD, occurrence_of
from services.integrations.faults import RESTING
from services.integrations.receivers import client
from services.integrations.receivers.schemas import NEVER

log = logging.getLogger(__name__)
PAUSES: Final = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 15, 60, 120, 300, 600, 1_800, 3_600))
"""How long an event waits after each attempt, the last one again and again until its deadline; each shaken by a quarter."""
REST: Final = dt.timedelta(seconds=30)
TURN_S: Final = 20.0
"""How long one receiver is told before the next one has its turn."""
AT_ONCE: Final = 500


def deliver_due(*, most: int = AT_ONCE) -> int:
    """Tell every receiver what is due, each for its turn and ``most`` events at most; return how many events arrived."""
    waiting = FenceDelivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=timezone.now())
    receivers = Receiver.objects.filter(pk__in=waiting.values("receiver"), client__active=True)
    return sum(_deliver(receiver, most) for receiver in list(receivers.select_related("client").order_by("?")))


def _deliver(receiver: Receiver, most: int) -> int:
    end, arrived = time.monotonic() + TURN_S, 0
    for _ in range(most):
        row = _claim(receiver)
        if row is None:
            break
        told = _tell(receiver, row)
        if told is None:
            break
        arrived += told
        if time.monotonic() > end:
            break
    return arrived


@transaction.atomic
def _claim(receiver: Receiver) -> FenceDelivery | None:
    """Take the next event that is due and has no earlier one of its subject before it."""
    now = timezone.now()
    earlier = FenceDelivery.objects.filter(
        receiver=receiver, subject=OuterRef("subject"), state=DeliveryState.WAITING, id__lt=OuterRef("id")
    )
    due = FenceDelivery.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        ~Exists(earlier), receiver=receiver, state=DeliveryState.WAITING, next_at__lte=now
    )
    row = due.select_related("event__subject").order_by("id").first()
    if row is not None:
        row.attempts, row.next_at = row.attempts + 1, now + dt.timedelta(seconds=3 * settings.RECEIVER_TIMEOUT_S)
        row.save(update_fields=["attempts", "next_at"])
    return row


def _tell(receiver: Receiver, row: FenceDelivery) -> int | None:
    """Post one event and write down what came of it: 1 when it arrived, ``None`` when the receiver is to be left alone."""
    try:
        secret = unseal(receiver.secret, field=SECRET_FIELD, owner=receiver.uid)
        there = client.Receiver(f"fence-receiver-{receiver.uid}", receiver.url, receiver.client.app, secret)
        answer = there.tell(occurrence_of(row.event))
    except CityError as fault:  # nobody there, an address that leads inside, a keystore that is away: the event is kept
        if fault.code == RESTING:
            _take_back(row)
            return None
        return _later(row, fault.code)
    if 200 <= answer.status < 300:
        return _close(row, DeliveryState.SENT, "")
    if answer.status in NEVER:
        _close(row, DeliveryState.DEAD, f"status_{answer.status}")
        return 0
    return _later(row, f"status_{answer.status}")


def _take_back(row: FenceDelivery) -> None:
    """Let an event that was not even tried wait for the breaker: this is no attempt."""
    _held(row).update(attempts=row.attempts - 1, next_at=timezone.now() + REST)


def _later(row: FenceDelivery, code: str) -> int:
    pause = PAUSES[min(row.attempts, len(PAUSES)) - 1] * random.uniform(0.75, 1.25)
    after = timezone.now() + pause
    if after > row.until:
        log.error("fence event undelivered", extra={"delivery": row.pk, "code": code})
        _close(row, DeliveryState.DEAD, code)
    else:
        _held(row).update(next_at=after, code=code[:40])
    return 0


def _close(row: FenceDelivery, state: DeliveryState, code: str) -> int:
    return _held(row).update(state=state, code=code[:40], ended_at=timezone.now())


def _held(row: FenceDelivery) -> QuerySet[FenceDelivery]:
    """Return a claimed delivery while the claim is this attempt's: after a long silence another worker may have taken it."""
    return FenceDelivery.objects.filter(pk=row.pk, state=DeliveryState.WAITING, attempts=row.attempts)
