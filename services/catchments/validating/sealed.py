"""What rotation of keys must seal anew of registers: the key of each, not its rows."""

from __future__ import annotations

from services.catchments.validating.models import Register
from services.catchments.validating.sealing import KEY_FIELD
from services.crypto.rotation import Renewal, SealedTable, renew_columns


def _renew(row: Register, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"sealed_key": KEY_FIELD})


SEALED = (
    SealedTable("catchments_validating.Register", "登记名册", ("sealed_key",), lambda row: (row.sealed_key,), _renew),
)
