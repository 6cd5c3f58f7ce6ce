"""The other writings that addresses answer to, made from the corrections that stand.

The corrections are the truth and outlive every import; the aliases are made of them again, and can be at any time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from geo.addresses.columns import PARTS
from geo.addresses.models import AddressAlias, AliasKind
from geo.imports.models import Correction, Family, Source

ALIAS: Final = "alias"
MERGED: Final = "merged_into"
SPLIT: Final = "split_into"
RETIRED: Final = "retired"
SPEAKING: Final = (ALIAS, MERGED, SPLIT)
"""The corrections that let an address answer to another writing."""
Row = tuple[int, str]
"""A row by its source's id and its id there."""


def make_all_aliases() -> list[Correction]:
    """Make every alias anew from the corrections that stand, and return those whose address is not there."""
    AddressAlias.objects.all().delete()
    return _write(list(_standing()))


def make_aliases_of(address_ids: Collection[int], rows: Collection[Row] = ()) -> None:
    """Make anew the aliases that lead to these addresses, came from them, or are said of them (by source and id there)."""
    named = Q(pk__in=[])
    for source_id, ext_id in rows:
        named |= Q(source_id=source_id, ext_id=ext_id)
    led = AddressAlias.objects.filter(Q(address__in=address_ids) | Q(former__in=address_ids))
    known = list(led.values_list("correction_id", flat=True))
    AddressAlias.objects.filter(correction__in=known).delete()
    _write(list(_standing().filter(named | Q(pk__in=known))))


def _standing() -> Any:
    spoken = Correction.objects.filter(source__family=Family.ADDRESSES, cleared_at=None, field__in=SPEAKING)
    return spoken.order_by("id")


def _write(corrections: list[Correction]) -> list[Correction]:
    keys = dict(Source.objects.filter(family=Family.ADDRESSES).values_list("key", "id"))
    successors = _successors(keys)
    wanted = [(each, [_last(row, successors) for row in _targets(each, keys)]) for each in corrections]
    rows = {row for _, targets in wanted for row in targets} | {(each.source_id, each.ext_id) for each in corrections}
    ids = _ids(rows)
    made, lost = [], []
    for correction, targets in wanted:
        found = [ids[row][0] for row in targets if row in ids and ids[row][1]]
        if not found:
            lost.append(correction)
        former = ids.get((correction.source_id, correction.ext_id)) if correction.field != ALIAS else None
        made += [_alias(correction, address_id, former[0] if former else None) for address_id in dict.fromkeys(found)]
    AddressAlias.objects.bulk_create(made, batch_size=2_000)
    return lost


def _successors(keys: Mapping[str, int]) -> dict[Row, Row]:
    """Return what each merged row was merged into."""
    merged = Correction.objects.filter(source__family=Family.ADDRESSES, cleared_at=None, field=MERGED).order_by("id")
    return {(each.source_id, each.ext_id): row for each in merged for row in _targets(each, keys)}


def _targets(correction: Correction, keys: Mapping[str, int]) -> list[Row]:
    """Return the rows that answer to a correction's writing, as it was said."""
    said: Any = correction.new_value
    if correction.field == ALIAS:
        return [(correction.source_id, correction.ext_id)]
    if correction.field == MERGED:
        return [(keys[said["source"]], said["ext_id"])] if said["source"] in keys else []
    return [(correction.source_id, ext_id) for ext_id in said["ext_ids"]]


def _last(row: Row, successors: Mapping[Row, Row]) -> Row:
    """Return what a row has become: the last of those it was merged into, one after the other."""
    seen = {row}
    while row in successors and successors[row] not in seen:
        row = successors[row]
        seen.add(row)
    return row


def _ids(rows: Collection[Row]) -> dict[Row, tuple[int, bool]]:
    """Return the address ids of rows, and whether each is current."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.source_id, a.ext_id, a.id, a.retired_at IS NULL
               FROM unnest(%s::bigint[], %s::text[]) AS w(source_id, ext_id)
               JOIN addresses_address a ON a.source_id = w.source_id AND a.ext_id = w.ext_id""",
            [[row[0] for row in rows], [row[1] for row in rows]],
        )
        return {(source_id, ext_id): (pk, current) for source_id, ext_id, pk, current in cursor.fetchall()}


_KINDS: Final = {MERGED: AliasKind.MERGED, SPLIT: AliasKind.SPLIT}


def _alias(correction: Correction, address_id: int, former_id: int | None) -> AddressAlias:
    said: Any = correction.new_value if correction.field == ALIAS else correction.old_value
    return AddressAlias(
        address_id=address_id,
        correction=correction,
        former_id=former_id,
        kind=_KINDS.get(correction.field) or said["kind"],
        **{name: said.get(name) or "" for name in PARTS},
        text=said["text"],
        normal=said["normal"],
        from_day=_day(said.get("from_day")),
        to_day=_day(said.get("to_day")),
    )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
