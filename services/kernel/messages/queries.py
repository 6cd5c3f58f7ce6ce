"""Reads of messages: a person's own, and the outbox of those who hold ``messages.view`` over its regions."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from geo.errors import Conflict, NotFound, Unavailable
from geo.regions.queries import regions_under, within
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.masking import mask_phone
from services.crypto.sealing import blind_indexes, unseal
from services.kernel.messages.models import Contact, Delivery, DeliveryState, Message
from services.kernel.messages.phones import PHONE_FIELD, normal_phone

UNREADABLE: Final = "号码打不开（缺密钥）"


def messages_of(user: User, *, unread: bool = False) -> QuerySet[Message]:
    """Return the messages of an account that are visible by now, unread ones first, the newest before older ones."""
    rows = Message.objects.filter(recipient=user, visible_from__lte=timezone.now())
    return rows.filter(read_at=None) if unread else rows


def unread_count(user: User, *, most: int = 100) -> int:
    """Return how many messages an account has not read, counting no further than ``most``."""
    return messages_of(user, unread=True).order_by()[:most].count()


def deliveries_visible(
    *,
    scope: Scope,
    state: str = "",
    event: str = "",
    region: str = "",
    day: dt.date | None = None,
    phone: str = "",
) -> QuerySet[Delivery]:
    """Return the short messages of the scope's regions, newest first, narrowed. Needs ``messages.view``.

    ``region`` is a code, ``day`` a day of the city, ``phone`` a whole number, found by its blind index. Raises ``BadInput`` for a
    number that is none, ``NotFound`` for an unknown code.
    """
    check_duty(scope, "messages.view")
    rows = Delivery.objects.filter(within(scope)).select_related("recipient")
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    if event:
        rows = rows.filter(event=event)
    if region:
        rows = rows.filter(region__in=regions_under(region, scope=scope).values("region_id"))
    if day:
        begin = timezone.make_aware(dt.datetime.combine(day, dt.time()))
        rows = rows.filter(made_at__gte=begin, made_at__lt=begin + dt.timedelta(days=1))
    if phone.strip():
        rows = rows.filter(phone_blind__in=blind_indexes(normal_phone(phone), field=PHONE_FIELD))
    return rows


def delivery_seen(delivery_id: UUID, *, scope: Scope) -> Delivery:
    """Return one short message of the scope's regions. Raises ``NotFound`` for any other, whether it exists or not."""
    delivery = deliveries_visible(scope=scope).filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound("delivery_unknown", "没有找到这条短信，或者它不在您的管辖范围内。")
    return delivery


def counts_by_state(rows: QuerySet[Delivery]) -> dict[str, int]:
    """Return how many of some short messages there are in each state, 0 included."""
    found = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in DeliveryState.values}


def masked_phone(row: Delivery | Contact) -> str:
    """Return the number of a delivery or a contact as it may be shown; where its key is missing, the words that say so."""
    try:
        return mask_phone(unseal(row.phone, field=PHONE_FIELD, owner=row.pk))
    except (Unavailable, Conflict):
        return UNREADABLE
