"""Writes of secrets: keep and drop. Sealing anew after a rotation of keys is ``rotation``'s."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import transaction

from services.crypto.house import house_keys
from services.crypto.models import Secret
from services.crypto.sealing import blind_index, key_of, seal


@transaction.atomic
def keep_secrets(*, owner: UUID, values: Mapping[str, str], found_by: Mapping[str, str] | None = None) -> None:
    """Seal values of an owner by field, in place of what was there; an empty value is dropped.

    ``found_by`` names for a field the one under which equal values are looked for, its own where it is not named; '' for a
    value nobody may look for. Normalise values first: equality is of characters. Raises ``TooLarge``, ``Unavailable``.
    """
    keys, indexes = house_keys(), found_by or {}
    drop_secrets(owner=owner, fields=[field for field, value in values.items() if not value])
    rows = []
    for field, value in values.items():
        if value:
            index = indexes.get(field, field)
            blind = blind_index(value, field=index, keys=keys) if index else ""
            sealed = seal(value, field=field, owner=owner, keys=keys)
            row = Secret(
                owner=owner, field=field, ciphertext=sealed, blind=blind, found_by=index, key_id=key_of(sealed)
            )
            rows.append(row)
    Secret.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["owner", "field"],
        update_fields=["ciphertext", "blind", "found_by", "key_id"],
    )


def drop_secrets(*, owner: UUID, fields: Collection[str] | None = None) -> int:
    """Forget secrets of an owner, all of them where no fields are named, and return how many there were."""
    rows = Secret.objects.filter(owner=owner)
    if fields is not None:
        rows = rows.filter(field__in=list(fields))
    return rows.delete()[0]
