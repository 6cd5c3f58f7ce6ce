"""What rotation of keys must seal anew in signing in: the secrets of second steps, the digests of recovery codes."""

from __future__ import annotations

from services.access.signin.actions import RECOVERY_FIELD, SECRET_FIELD
from services.access.signin.models import RecoveryCode, SecondStep
from services.crypto.rotation import Renewal, SealedTable, renew_columns
from services.crypto.sealing import key_of, seal


def _renew(row: SecondStep, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"secret": SECRET_FIELD})


def _renew_code(row: RecoveryCode, renewal: Renewal) -> None:
    owner = row.user.uid
    if key_of(row.digest):
        renew_columns(row, renewal, owner=owner, texts={"digest": RECOVERY_FIELD})
    elif renewal.writes:  # of before codes were sealed
        row.digest = seal(row.digest, field=RECOVERY_FIELD, owner=owner, keys=renewal.keys)


def _digests(row: RecoveryCode) -> tuple[str, ...]:
    return (row.digest,) if key_of(row.digest) else ()


SEALED = (
    SealedTable("access_signin.SecondStep", "两步验证密钥", ("secret",), lambda row: (row.secret,), _renew),
    SealedTable("access_signin.RecoveryCode", "恢复码", ("digest",), _digests, _renew_code),
)
