"""What rotation of keys must seal anew among messages: numbers of accounts, numbers and texts of the outbox."""

from __future__ import annotations

from services.crypto.rotation import Renewal, SealedTable, renew_columns
from services.kernel.messages.actions import TEXT_FIELD
from services.kernel.messages.models import Contact, Delivery
from services.kernel.messages.phones import PHONE_FIELD

BLIND = {"phone_blind": ("phone", PHONE_FIELD)}


def _renew_contact(row: Contact, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"phone": PHONE_FIELD}, blinds=BLIND)


def _renew_delivery(row: Delivery, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"phone": PHONE_FIELD, "text": TEXT_FIELD}, blinds=BLIND)


SEALED = (
    SealedTable(
        "kernel_messages.Contact", "联系手机", ("phone", "phone_blind"), lambda row: (row.phone,), _renew_contact
    ),
    SealedTable(
        "kernel_messages.Delivery",
        "短信",
        ("phone", "phone_blind", "text"),
        lambda row: (row.phone, row.text),
        _renew_delivery,
    ),
)
