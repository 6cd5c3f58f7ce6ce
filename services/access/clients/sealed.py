"""What rotation of keys must seal anew among platforms that call us: the secrets both sides sign with."""

from __future__ import annotations

from services.access.clients.models import ClientKey
from services.access.clients.queries import SECRET_FIELD
from services.crypto.rotation import Renewal, SealedTable, renew_columns


def _renew(row: ClientKey, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.pk, texts={"secret": SECRET_FIELD})


SEALED = (SealedTable("access_clients.ClientKey", "平台密钥", ("secret",), lambda row: (row.secret,), _renew),)
