"""Writes of secrets: keep, drop, and seal anew after a rotation of keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import transaction

from services.crypto.models import Secret
from services.crypto.sealing import blind_index, house_keys, seal, unseal


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
            rows.append(Secret(owner=owner, field=field, ciphertext=sealed, blind=blind, key_id=keys.newest.id))
    Secret.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["owner", "field"],
        update_fields=["ciphertext", "blind", "key_id"],
    )


def drop_secrets(*, owner: UUID, fields: Collection[str] | None = None) -> int:
    """Forget secrets of an owner, all of them where no fields are named, and return how many there were."""
    rows = Secret.objects.filter(owner=owner)
    if fields is not None:
        rows = rows.filter(field__in=list(fields))
    return rows.delete()[0]


@transaction.atomic
def reseal_secrets(*, most: int = 1_000) -> int:
    """Seal values that an older key sealed by the newest one, and return how many; call until it returns 0."""
    keys = house_keys()
    old = Secret.objects.select_for_update(skip_locked=True).exclude(key_id=keys.newest.id).order_by("pk")[:most]
    rows = list(old)
    for row in rows:
        plain = unseal(row.ciphertext, field=row.field, owner=row.owner, keys=keys)
        row.ciphertext = seal(plain, field=row.field, owner=row.owner, keys=keys)
        row.key_id = keys.newest.id
    Secret.objects.bulk_update(rows, ["ciphertext", "key_id"])
    return len(rows)
