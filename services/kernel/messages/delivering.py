"""Sends what is due, one short message at a time, and survives every way this can go wrong.

A delivery is claimed in a transaction of its own (so two workers never hold the same one), handed over outside of any, and
closed in a third. A worker that dies in between leaves a claim that runs out; the next one asks again under the same message id,
which the gateway sends once.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from geo.errors import CityError
from geo.tracing import request_of
from services.crypto.sealing import unseal
from services.integrations.faults import RESTING, AnswerUnclear, NotReached
from services.integrations.sms.client import final, gateway, is_connected
from services.integrations.sms.schemas import Code, Taken
from services.kernel.messages.actions import TEXT_FIELD, note_step
from services.kernel.messages.choosing import ChosenRule, city_zone, rule_for
from services.kernel.messages.models import Delivery, DeliveryState
from services.kernel.messages.phones import PHONE_FIELD
from services.kernel.messages.quiet import first_allowed, next_morning

log = logging.getLogger(__name__)
CLAIM: Final = dt.timedelta(minutes=3)
"""Longer than any request may take: a claim that ran out belongs to a worker that is gone."""
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480))
MOST_ATTEMPTS: Final = len(PAUSES) + 1
AT_ONCE: Final = 200
REFUSALS: Final = {
    Code.BAD_NUMBER: "号码无效",
    Code.BLOCKED: "号码拒收",
    Code.BAD_CONTENT: "内容未通过短信平台审核",
    Code.BUSY: "短信平台繁忙",
    Code.NO_CREDIT: "短信平台余量不足",
    Code.NOT_SIGNED: "短信平台不认本系统的签名",
}


def deliver_due(*, most: int = AT_ONCE) -> int:
    """Send the short messages that are due, the longest due first, at most ``most``; return how many were handed over.

    Without a gateway nothing is touched: all of it waits. While the gateway rests after failures, only the first is asked for.
    """
    if not is_connected():
        return 0
    handed = 0
    for _ in range(most):
        found = _claim()
        if found is None:
            break
        if found.state == DeliveryState.SENDING:
            handed += 1
            with request_of(found.request_id):
                went_on = _hand_over(found)
            if not went_on:
                break
    return handed


@transaction.atomic
def _claim() -> Delivery | None:
    """Take the next delivery that is due, and say by its state whether it may go out now or was put off."""
    now = timezone.now()
    due = Delivery.objects.select_for_update(skip_locked=True).filter(
        state__in=(DeliveryState.WAITING, DeliveryState.SENDING), next_at__lte=now
    )
    row = due.order_by("next_at", "id").first()
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        _close(row, DeliveryState.GIVEN_UP, "发送进程中断，已到最多次数，不再尝试")
        return row
    later = None if row.urgent else _put_off(row, now)
    if later:
        row.state, row.next_at = DeliveryState.WAITING, later
    else:
        row.state, row.next_at, row.attempts = DeliveryState.SENDING, now + CLAIM, row.attempts + 1
    row.save(update_fields=["state", "next_at", "attempts"])
    return row


def _put_off(row: Delivery, now: dt.datetime) -> dt.datetime | None:
    """Return when a delivery may go out if not now: after the quiet hours, or next morning when its number had enough today."""
    rule = rule_for(row.region_id)
    allowed = first_allowed(now, rule.quiet, city_zone())
    if allowed > now:
        note_step(row, f"在免打扰时段，推迟到 {allowed.astimezone(city_zone()):%-m月%-d日 %H:%M}")
        return allowed
    if row.attempts == 0 and _had_enough(row, rule, now):
        morning = next_morning(now, rule.quiet, city_zone())
        note_step(row, f"该号码今天已有 {rule.daily_cap} 条，推迟到 {morning.astimezone(city_zone()):%-m月%-d日 %H:%M}")
        return morning
    return None


def _had_enough(row: Delivery, rule: ChosenRule, now: dt.datetime) -> bool:
    with connection.cursor() as cursor:  # two workers must not both take the last one of the day
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [row.phone_blind])
    today = dt.datetime.combine(now.astimezone(city_zone()).date(), dt.time(), city_zone())
    others = Delivery.objects.filter(phone_blind=row.phone_blind, urgent=False).exclude(pk=row.pk)
    sent = others.filter(sent_at__gte=today).count()
    return sent + others.filter(state=DeliveryState.SENDING, sent_at=None).count() >= rule.daily_cap


def _hand_over(row: Delivery) -> bool:
    """Send one message and write down what came of it; say whether it makes sense to go on with the next."""
    try:
        phone = unseal(row.phone, field=PHONE_FIELD, owner=row.pk)
        text = unseal(row.text, field=TEXT_FIELD, owner=row.pk)
        taken = gateway().send(message_id=str(row.pk), phones=[phone], content=text)[0]
    except (NotReached, AnswerUnclear) as fault:
        if fault.code == RESTING:
            _take_back(row)
            return False
        _try_later(row, fault.code, fault.message)
    except (
        CityError
    ) as fault:  # the keystore, or a text that was tampered with: a person must look, the message is kept
        log.exception("delivery stuck", extra={"delivery": str(row.pk), "code": fault.code})
        _try_later(row, fault.code, fault.message)
    else:
        _close_taken(row, taken)
    return True


def _take_back(row: Delivery) -> None:
    """Let a message that was not even tried wait a little: the gateway is left alone, and this is no attempt."""
    Delivery.objects.filter(pk=row.pk, state=DeliveryState.SENDING, attempts=row.attempts).update(
        state=DeliveryState.WAITING, attempts=row.attempts - 1, next_at=timezone.now() + PAUSES[0]
    )


def _close_taken(row: Delivery, taken: Taken) -> None:
    if taken.code == Code.ACCEPTED:
        _mark_sent(row, taken.provider_id or "")
    elif final(taken.code):
        with transaction.atomic():
            if held := _held(row):
                held.code = taken.code
                _close(held, DeliveryState.FAILED, f"短信平台拒绝：{REFUSALS.get(taken.code, taken.code)}")
    else:
        _try_later(row, taken.code, REFUSALS.get(taken.code, taken.code))


def _held(row: Delivery) -> Delivery | None:
    """Lock a delivery if it is still this attempt's: a receipt, or another worker after a long silence, may have closed it."""
    return (
        Delivery.objects.select_for_update()
        .filter(pk=row.pk, state=DeliveryState.SENDING, attempts=row.attempts)
        .first()
    )


@transaction.atomic
def _mark_sent(row: Delivery, provider_id: str) -> None:
    now = timezone.now()
    Delivery.objects.filter(pk=row.pk, provider_id="").update(provider_id=provider_id)
    Delivery.objects.filter(pk=row.pk, sent_at=None).update(sent_at=now)
    if held := _held(row):
        held.state, held.code = DeliveryState.SENT, ""
        held.save(update_fields=["state", "code"])
        note_step(held, "短信平台已接收")


@transaction.atomic
def _try_later(row: Delivery, code: str, why: str) -> None:
    held = _held(row)
    if held is None:
        return
    held.code = code[:40]
    if held.attempts >= MOST_ATTEMPTS:
        _close(held, DeliveryState.GIVEN_UP, f"{why} 已试 {held.attempts} 次，不再尝试")
        return
    held.state, held.next_at = DeliveryState.WAITING, timezone.now() + PAUSES[held.attempts - 1]
    held.save(update_fields=["state", "next_at", "code"])
    note_step(held, f"第 {held.attempts} 次没有发成：{why}")


def _close(row: Delivery, state: DeliveryState, what: str) -> None:
    row.state, row.ended_at = state, timezone.now()
    row.save(update_fields=["state", "ended_at", "code"])
    note_step(row, what)
