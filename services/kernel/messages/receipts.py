"""What the network says of messages that went out: posted to us or read by us, in any order, any number of times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from services.crypto.sealing import blind_indexes
from services.integrations.faults import AnswerUnclear, NotReached
from services.integrations.sms.client import gateway, is_connected
from services.integrations.sms.schemas import Receipt, ReceiptState
from services.kernel.messages.actions import note_step
from services.kernel.messages.models import Delivery, DeliveryState, ReceiptCursor
from services.kernel.messages.phones import PHONE_FIELD

GATEWAY: Final = "sms"
MOST_PAGES: Final = 20
OUTCOME: Final = {ReceiptState.DELIVERED: DeliveryState.DELIVERED, ReceiptState.FAILED: DeliveryState.FAILED}
TOLD: Final = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED})


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of some receipts: new, known already, or of messages that are not ours."""

    taken: int = 0
    known: int = 0
    unknown: int = 0


def take_receipts(receipts: Iterable[Receipt]) -> Counted:
    """Write down receipts, each in a transaction of its own; repeating one changes nothing."""
    results = [_take(receipt) for receipt in receipts]
    return Counted(results.count("taken"), results.count("known"), results.count("unknown"))


@transaction.atomic
def _take(receipt: Receipt) -> str:
    row = _delivery_of(receipt)
    if row is None:
        return "unknown"
    if row.state in TOLD:
        if row.state != OUTCOME[receipt.state]:
            note_step(row, f"又收到不同的回执：{OUTCOME[receipt.state].label}，以先到的为准")
        return "known"
    row.state, row.code, row.ended_at = OUTCOME[receipt.state], receipt.code[:40] or receipt.state, receipt.at
    row.provider_id = row.provider_id or receipt.provider_id
    row.sent_at = row.sent_at or timezone.now()
    row.save(update_fields=["state", "code", "ended_at", "provider_id", "sent_at"])
    note_step(row, f"回执：{row.get_state_display()}")
    return "taken"


def _delivery_of(receipt: Receipt) -> Delivery | None:
    """Return the delivery a receipt speaks of, locked: by our own id, and only when number and their id agree."""
    try:
        ours = UUID(receipt.message_id)
    except ValueError:
        return None
    row = Delivery.objects.select_for_update().filter(pk=ours).first()
    if row is None or row.phone_blind not in blind_indexes(receipt.phone, field=PHONE_FIELD):
        return None
    return row if row.provider_id in {"", receipt.provider_id} else None


def read_receipts() -> Counted:
    """Read what the gateway kept since last time; the place reached is kept with the receipts, or neither is.

    Returns zeros without a gateway, or while another worker reads.
    """
    if not is_connected():
        return Counted()
    ReceiptCursor.objects.get_or_create(gateway=GATEWAY)
    total = Counted()
    for _ in range(MOST_PAGES):
        page = _read_page()
        if page is None:
            break
        total = Counted(total.taken + page.taken, total.known + page.known, total.unknown + page.unknown)
    return total


@transaction.atomic
def _read_page() -> Counted | None:
    place = ReceiptCursor.objects.select_for_update(skip_locked=True).filter(gateway=GATEWAY).first()
    if place is None:
        return None
    try:
        page = gateway().receipts(after=place.cursor)
    except (NotReached, AnswerUnclear):
        return None  # logged by the client; the next minute asks again from the same place
    if not page.receipts or page.cursor == place.cursor:
        return None
    counted = take_receipts(page.receipts)
    place.cursor, place.read_at = page.cursor, timezone.now()
    place.save()
    return counted
