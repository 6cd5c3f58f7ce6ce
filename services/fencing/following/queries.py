"""Reads of what platforms follow: their own lines for them, and for staff who follows what in their districts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import published_name, within
from geo.scope import Scope
from services.access.clients.models import ApiClient
from services.access.queries import check_duty
from services.fencing.following.models import (
    DeliveryState,
    FenceDelivery,
    FenceEvent,
    Following,
    Reader,
    Receiver,
    Subject,
)
from services.fencing.queries import VIEW
from services.integrations.receivers.schemas import Occurrence

SECRET_FIELD: Final = "fence.receiver"
MOST_EVENTS: Final = 500


def occurrence_of(event: FenceEvent) -> Occurrence:
    """Return an event as platforms are told it."""
    return Occurrence(
        id=event.id, number=event.number, subject=event.subject.ref, kind=event.kind, fence=event.fence,
        fence_name=event.fence_name, purpose=event.purpose, edition=event.edition, at=event.at, after=event.after,
        inferred=event.inferred,
    )  # fmt: skip


def events_after(client: ApiClient, number: int, *, limit: int) -> list[FenceEvent]:
    """Return the events of a platform after one of its numbers, in their order: committed in that order, without gaps."""
    rows = FenceEvent.objects.filter(client=client, number__gt=number).select_related("subject")
    return list(rows.order_by("number")[:limit])


def number_done(client: ApiClient, reader: str) -> int:
    """Return up to which number a programme of a platform has done with its events, 0 for one that never said."""
    found: int | None = Reader.objects.filter(client=client, name=reader).values_list("number", flat=True).first()
    return found or 0


def oldest_number(client: ApiClient) -> int | None:
    """Return the number of the oldest event that is still kept of a platform."""
    found: int | None = FenceEvent.objects.filter(client=client).aggregate(oldest=Min("number"))["oldest"]
    return found


def followings_seen(*, scope: Scope) -> QuerySet[Following]:
    """Return what is followed in the districts of the scope, with ``district_name``."""
    check_duty(scope, VIEW)
    rows = Following.objects.filter(within(scope, "district")).select_related("client")
    return rows.annotate(district_name=published_name("district_id")).order_by(
        "client__name", "district_name", "purpose"
    )


def own_followings(client: ApiClient, *, scope: Scope) -> list[Following]:
    """Return what a platform follows in the district that a call was admitted for."""
    return list(Following.objects.filter(within(scope, "district"), client=client).order_by("purpose"))


@dataclass(frozen=True, slots=True)
class AtFence:
    """What was done at one fence lately: how often, by how many subjects, and when last."""

    fence: UUID
    name: str
    purpose: str
    events: int
    subjects: int
    entered: int
    left: int
    last: dt.datetime


def busy_fences(*, scope: Scope, since: dt.datetime, most: int) -> list[AtFence]:
    """Return the fences of the scope's districts where most was done since a moment; subjects are counted, never named."""
    check_duty(scope, VIEW)
    rows = FenceEvent.objects.filter(within(scope, "district"), told_at__gte=since).order_by()
    found = rows.values("fence", "purpose").annotate(
        name=Max("fence_name"), events=Count("id"), subjects=Count("subject", distinct=True), last=Max("told_at"),
        entered=Count("id", filter=Q(kind="enter")), left=Count("id", filter=Q(kind="exit")),
    )  # fmt: skip
    return [AtFence(**row) for row in found.order_by("-events", "name")[:most]]


@dataclass(frozen=True, slots=True)
class Health:
    """How the events of a platform at the fences of a scope arrive: what waits, since when, what lies undelivered; and how many
    subjects it reported in a day.
    """

    client: ApiClient
    receiver: Receiver | None
    waiting: int
    oldest: dt.datetime | None
    dead: int
    sent_at: dt.datetime | None
    fault: str
    subjects: int
    heard_at: dt.datetime | None


def health_seen(*, scope: Scope) -> list[Health]:
    """Return the health of every platform that follows something in the districts of the scope, by name."""
    clients = ApiClient.objects.filter(pk__in=followings_seen(scope=scope).values("client")).order_by("name")
    return [_health(client, scope) for client in clients.select_related("fence_receiver")]


def _health(client: ApiClient, scope: Scope) -> Health:
    rows = FenceDelivery.objects.filter(within(scope, "event__district"), receiver__client=client)
    waiting = rows.filter(state=DeliveryState.WAITING)
    told = waiting.aggregate(count=Count("id"), oldest=Min("event__told_at"))
    subjects = Subject.objects.filter(client=client, heard_at__gte=timezone.now() - dt.timedelta(days=1))
    heard = subjects.aggregate(count=Count("uid"), last=Max("heard_at"))
    fault = waiting.filter(attempts__gt=0).order_by("-next_at").values_list("code", flat=True).first()
    return Health(
        client=client, receiver=getattr(client, "fence_receiver", None), waiting=told["count"], oldest=told["oldest"],
        dead=rows.filter(state=DeliveryState.DEAD).count(),
        sent_at=rows.filter(state=DeliveryState.SENT).aggregate(last=Max("ended_at"))["last"], fault=fault or "",
        subjects=heard["count"], heard_at=heard["last"],
    )  # fmt: skip


def dead_letters(*, scope: Scope, client: ApiClient | None = None) -> QuerySet[FenceDelivery]:
    """Return the events of the scope's districts that did not arrive, the newest first."""
    check_duty(scope, VIEW)
    rows = FenceDelivery.objects.filter(within(scope, "event__district"), state=DeliveryState.DEAD)
    rows = rows.filter(receiver__client=client) if client else rows
    return rows.select_related("event", "receiver__client").order_by("-id")


def client_followed(app: str, *, scope: Scope) -> ApiClient:
    """Return a platform that follows something in the scope's districts. Raises ``NotFound`` for any other."""
    found = ApiClient.objects.filter(pk__in=followings_seen(scope=scope).values("client"), app=app[:20]).first()
    if found is None:
        raise NotFound("follower_unknown", "没有找到这个平台，或者它没有跟踪您辖区里的围栏。")
    return found


def left_out_of(client: ApiClient) -> dict[str, int]:
    """Return how many positions of a platform's subjects were not taken, by reason."""
    totals: dict[str, int] = {}
    rows: Sequence[dict[str, int]] = Subject.objects.filter(client=client).values_list("left_out", flat=True)  # type: ignore[assignment]
    for counts in rows:
        for reason, count in counts.items():
            totals[reason] = totals.get(reason, 0) + count
    return totals
