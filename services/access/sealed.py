"""What rotation of keys must seal anew of accounts: their passwords."""

from __future__ import annotations

from services.access.models import User
from services.access.passwords import is_sealed, renewed
from services.crypto.rotation import Renewal, SealedTable


def _texts(row: User) -> tuple[str, ...]:
    return (row.password.rpartition("$")[2],) if is_sealed(row.password) else ()


def _renew(row: User, renewal: Renewal) -> None:
    row.password = renewed(row.password, renewal)


SEALED = (SealedTable("access.User", "登录密码", ("password",), _texts, _renew),)
