"""What rotation of keys must seal anew in signing in: the secrets of second steps."""

from __future__ import annotations

from services.access.signin.actions import SECRET_FIELD
from services.access.signin.models import SecondStep
from services.crypto.rotation import Renewal, SealedTable, renew_columns


def _renew(row: SecondStep, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"secret": SECRET_FIELD})


SEALED = (SealedTable("access_signin.SecondStep", "两步验证密钥", ("secret",), lambda row: (row.secret,), _renew),)
