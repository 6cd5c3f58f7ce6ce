"""Short messages that staff send themselves: the text of an event to numbers they give, now or at a moment."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.messages.actions import send_message
from services.kernel.messages.choosing import channels_for
from services.kernel.messages.phones import normal_phone
from services.kernel.messages.registry import choice_named, event_named
from services.kernel.messages.texts import plain_value

MOST_PHONES: Final = 500
FURTHEST: Final = dt.timedelta(days=90)


def regions_to_send_for(*, scope: Scope) -> list[RegionVersion]:
    """Return the city, districts and streets a scope may send for. Needs ``messages.send``."""
    check_duty(scope, "messages.send")
    return list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district", "street")))


def phones_in(text: str) -> list[str]:
    """Return the numbers of a text, each once, in their order: one a line, or between commas.

    Raises ``BadInput`` naming the lines that hold none, and for more than 500.
    """
    parts = [part for part in re.split(r"[\n,，;；、]+", text) if part.strip()]
    found: dict[str, None] = {}
    wrong = []
    for number, part in enumerate(parts, start=1):
        try:
            found[normal_phone(part)] = None
        except BadInput:
            wrong.append(str(number))
    if wrong:
        raise BadInput(
            "phones_invalid", f"第 {'、'.join(wrong[:10])} 个号码不对，手机号要是 11 位数字。", wrong=wrong[:100]
        )
    if not 1 <= len(found) <= MOST_PHONES:
        raise BadInput("phones_count", f"请填 1 到 {MOST_PHONES} 个手机号。")
    return list(found)


@transaction.atomic
def send_by_hand(
    *, token: UUID, event: str, region: str, entry: str, values: Mapping[str, str], phones: str, at: dt.datetime | None,
    scope: Scope,
) -> int:  # fmt: skip
    """Put short messages to the given numbers into the outbox and return how many there are.

    Needs ``messages.send`` over the region (code). ``at`` is the moment they go out, None for now. The same ``token`` again sends
    nothing: a double click is one act. Raises ``BadInput``, ``Conflict``, ``Forbidden``.
    """
    declared = event_named(event)
    choice_named(declared.entries, entry)
    place = next((each for each in regions_to_send_for(scope=scope) if each.code == region), None)
    if place is None:
        raise Forbidden("region_outside_scope", "这个区划不在您的管辖范围内，请选自己管辖的区划。")
    if "sms" not in channels_for(declared, region_id=place.region_id):
        raise BadInput("channel_off", f"{place.name}没有为“{declared.title}”开通短信，请先在“消息设置”里开通。")
    empty = [each.name for each in declared.fields if not plain_value(values.get(each.name, ""))]
    if empty:
        raise BadInput("fields_empty", f"请填写：{'、'.join(empty)}。", fields=empty)
    now = timezone.now()
    if at is not None and not now < at <= now + FURTHEST:
        raise BadInput("moment_invalid", f"定时发送的时间要在现在之后、{FURTHEST.days} 天之内。")
    told = send_message(
        event=event, key=f"hand:{token}", region_id=place.region_id, values=values, phones=phones_in(phones), entry=entry,
        at=at, actor=scope.actor,
    )  # fmt: skip
    if not told.deliveries:
        raise Conflict("already_sent", "这些短信已经登记过，没有重复发送。")
    return told.deliveries
