"""Writes of platforms about what they follow and where they are told; and of staff: sending undelivered events again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, TooMany
from geo.fences.models import Fence
from geo.fences.purposes import purpose_of
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.clients.models import ApiClient
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.crypto.sealing import seal
from services.fencing.following.models import DeliveryState, Feed, FenceDelivery, Following, Reader, Receiver
from services.fencing.following.outbox import DEADLINE, wake
from services.fencing.following.queries import SECRET_FIELD, dead_letters
from services.fencing.queries import EDIT, district_seen
from services.integrations.receivers.client import check_url

LONGEST_DWELL_S: Final = 86_400
FARTHEST_M: Final = 2_000
MOST_FENCES: Final = 1_000
MOST_AGAIN: Final = 1_000
MOST_READERS: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a platform wants; ``fences`` narrows them to some fences of the purpose, empty: all."""

    fences: Sequence[UUID] = ()
    enter: bool = True
    exit: bool = True
    cross: bool = False
    dwell_s: int | None = None
    approach_m: int | None = None


@transaction.atomic
def follow(*, client: ApiClient, purpose: str, district: str, wanted: Wanted, scope: Scope) -> Following:
    """Say what a platform follows of a purpose in a district (code); said again it takes the place of what was said before.

    Raises ``BadInput``, and ``Forbidden`` for a district outside the scope.
    """
    if purpose_of(purpose) is None:
        raise BadInput("fence_purpose_unknown", "没有这个用途，可用的见接口说明。", parameter="purpose")
    region = district_seen(district, scope=scope).region_id
    fences = sorted(set(wanted.fences))
    _check(wanted, fences)
    known = Fence.objects.filter(
        same__in=fences, edition__purpose=purpose, edition__district=region, edition__state="published"
    )
    if missing := set(fences) - set(known.values_list("same", flat=True)):
        named = str(min(missing))
        raise BadInput("fence_unknown", f"这个区的这种用途里没有围栏 {named}。", parameter="fences", fence=named)
    ApiClient.objects.select_for_update().get(pk=client.pk)
    row = Following.objects.filter(client=client, district=region, purpose=purpose).first()
    row = row or Following(client=client, district_id=region, purpose=purpose, revision=0)
    said = {name: getattr(wanted, name) for name in ("enter", "exit", "cross", "dwell_s", "approach_m")} | {
        "fences": fences
    }
    if row.pk and all(getattr(row, name) == value for name, value in said.items()):
        return row
    for name, value in said.items():
        setattr(row, name, value)
    row.revision, row.changed_by = row.revision + 1, scope.actor
    with pghistory.context(actor=scope.actor):
        row.save()
    return row


def _check(wanted: Wanted, fences: Sequence[UUID]) -> None:
    if len(fences) > MOST_FENCES:
        raise BadInput("fences_many", f"最多点名 {MOST_FENCES} 个围栏；跟踪全部就不要写 fences。", parameter="fences")
    if wanted.dwell_s is not None and not 10 <= wanted.dwell_s <= LONGEST_DWELL_S:
        raise BadInput("dwell_out", f"停留时间请写 10 到 {LONGEST_DWELL_S} 秒。", parameter="dwell_s")
    if wanted.approach_m is not None and not 10 <= wanted.approach_m <= FARTHEST_M:
        raise BadInput("approach_out", f"接近距离请写 10 到 {FARTHEST_M} 米。", parameter="approach_m")
    if not (wanted.enter or wanted.exit or wanted.cross or wanted.dwell_s or wanted.approach_m):
        raise BadInput("nothing_wanted", "至少要一种事件。不再跟踪请用 DELETE。")


@transaction.atomic
def unfollow(*, client: ApiClient, purpose: str, district: str, scope: Scope) -> bool:
    """Follow a purpose in a district no more, and say whether it was followed; asked again it changes nothing."""
    region = district_seen(district, scope=scope).region_id
    row = Following.objects.select_for_update().filter(client=client, district=region, purpose=purpose).first()
    if row is None:
        return False
    with pghistory.context(actor=scope.actor):
        row.delete()
    return True


@transaction.atomic
def set_receiver(*, client: ApiClient, url: str, actor: str) -> tuple[Receiver, str]:
    """Let a platform be told at an address, and return it with its new secret, which is shown this once.

    Set again, address and secret are changed, and what waits goes to the new address. Raises ``BadInput``.
    """
    check_url(url)
    ApiClient.objects.select_for_update().get(pk=client.pk)
    row = Receiver.objects.filter(client=client).first() or Receiver(client=client)
    secret = secrets.token_urlsafe(32)
    row.url, row.secret, row.changed_by = url, seal(secret, field=SECRET_FIELD, owner=row.uid), actor
    with pghistory.context(actor=actor):
        row.save()
    record_audit(act=AuditAct.FENCE_RECEIVER_SET, actor=actor, detail={"client": client.app, "url": url})
    return row, secret


@transaction.atomic
def remove_receiver(*, client: ApiClient, actor: str) -> bool:
    """Tell a platform at its address no more, and forget what was on its way; its events stay to be read."""
    row = Receiver.objects.select_for_update().filter(client=client).first()
    if row is None:
        return False
    with pghistory.context(actor=actor):
        row.delete()
    record_audit(act=AuditAct.FENCE_RECEIVER_SET, actor=actor, detail={"client": client.app, "url": ""})
    return True


@transaction.atomic
def send_again(*, scope: Scope, client: ApiClient, up_to: int) -> int:
    """Let undelivered events of a platform in the scope's districts be tried anew, and return how many.

    ``up_to`` is the newest delivery that was seen on the page: what came to lie there since stays. Sent twice, it is done once.
    """
    check_duty(scope, EDIT)
    seen = dead_letters(scope=scope, client=client).filter(pk__lte=up_to)
    pks = list(seen.order_by("pk").values_list("pk", flat=True)[:MOST_AGAIN])
    rows = FenceDelivery.objects.filter(pk__in=pks, state=DeliveryState.DEAD)
    now = timezone.now()
    count = rows.update(
        state=DeliveryState.WAITING, attempts=0, next_at=now, until=now + DEADLINE, code="", ended_at=None
    )
    if count:
        record_audit(act=AuditAct.FENCE_EVENTS_AGAIN, actor=scope.actor, detail={"client": client.app, "count": count})
        transaction.on_commit(wake, robust=True)
    return count


@transaction.atomic
def note_read(*, client: ApiClient, name: str, number: int) -> Reader:
    """Keep that a programme of a platform has done with all events up to a number; a lower one changes nothing.

    Raises ``BadInput`` for a number that is not there yet, ``TooMany`` for one programme too many.
    """
    last = Feed.objects.filter(client=client).values_list("last", flat=True).first() or 0
    if number > last:
        raise BadInput(
            "event_ahead", f"最新一件是 {last}，还没有 {number}。请报已经处理完的序号。", field="number", last=last
        )
    ApiClient.objects.select_for_update().get(pk=client.pk)  # the count and the new one belong together
    row = Reader.objects.filter(client=client, name=name).first()
    if row is None and Reader.objects.filter(client=client).count() >= MOST_READERS:
        said = f"一个平台最多 {MOST_READERS} 个程序各读各的，请共用名字。"
        raise TooMany("readers_many", said, retry_after=3600, most=MOST_READERS)
    row = row or Reader(client=client, name=name)
    row.number = max(row.number, number)
    row.save()
    return row
