"""Reads of secrets: their plain values, which the caller must have the right to and audits, and owners of equal values."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.crypto.house import house_keys
from services.crypto.models import Secret
from services.crypto.sealing import blind_indexes, unseal


def reveal_secrets(*, owner: UUID, fields: Collection[str] | None = None) -> dict[str, str]:
    """Return the plain values of an owner by field, of all its fields where none are named.

    Who may read them, and the line in the audit log, are the caller's. Raises ``Conflict`` for one that was changed or moved.
    """
    rows = Secret.objects.filter(owner=owner)
    if fields is not None:
        rows = rows.filter(field__in=list(fields))
    keys = house_keys()
    found = rows.order_by("field").values_list("field", "ciphertext")
    return {field: unseal(sealed, field=field, owner=owner, keys=keys) for field, sealed in found}


def owners_with(*, field: str, value: str, most: int = 100) -> list[UUID]:
    """Return the owners whose value in a field equals one, the newest first; none for an empty value."""
    if not value:
        return []
    rows = Secret.objects.filter(blind__in=blind_indexes(value, field=field))
    return list(rows.order_by("-owner").values_list("owner", flat=True).distinct()[:most])
