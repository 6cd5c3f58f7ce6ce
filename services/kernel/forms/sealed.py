"""What rotation of keys must seal anew among forms: the sealed answers of earlier rounds (those of now are secrets of crypto)."""

from __future__ import annotations

from services.crypto.rotation import Renewal, SealedTable
from services.kernel.forms.models import SubmissionRound


def _renew(row: SubmissionRound, renewal: Renewal) -> None:
    row.sealed = {
        field: renewal.text(sealed, field=field, owner=row.submission_id) for field, sealed in row.sealed.items()
    }


SEALED = (
    SealedTable(
        "kernel_forms.SubmissionRound", "填报轮次", ("sealed",), lambda row: tuple(row.sealed.values()), _renew
    ),
)
