"""What rotation must seal anew among the secrets."""

from __future__ import annotations

from services.crypto.models import Secret
from services.crypto.rotation import Renewal, SealedTable
from services.crypto.sealing import key_of


def _renew(row: Secret, renewal: Renewal) -> None:
    if row.blind:
        row.blind = renewal.blind(row.ciphertext, field=row.field, owner=row.owner, found_by=row.found_by)
    row.ciphertext = renewal.text(row.ciphertext, field=row.field, owner=row.owner)
    row.key_id = key_of(row.ciphertext)


SEALED = (
    SealedTable("crypto.Secret", "加密内容", ("ciphertext", "blind", "key_id"), lambda row: (row.ciphertext,), _renew),
)
