"""How one act is put on record: its corrections for later imports, its change for people, and what is made of both.

Nothing else writes ``AddressChange``; nothing else asks for names and aliases to be made again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import F

from geo.addresses.lookups import roads_of_addresses
from geo.addresses.models import Act, Address, AddressAlias, AddressChange
from geo.addresses.upkeep.aliases import make_aliases_of
from geo.addresses.upkeep.authority import check_edit, check_region
from geo.addresses.upkeep.snapshots import Said, said
from geo.addresses.upkeep.versions import version_of
from geo.errors import NotFound
from geo.imports.actions import correct_row, stand_beside_publishing
from geo.imports.models import CURRENT, Source
from geo.roads.actions import name_unmapped_roads
from geo.scope import Scope


def lock_addresses(ids: Collection[int], scope: Scope, *, retired: bool = False) -> list[Address]:
    """Lock addresses against others who would change them, in the order of their ids, and return them.

    No publishing may begin meanwhile. Raises ``NotFound`` when one is gone (``retired`` ones count as there only when asked
    for), ``Forbidden`` when one lies outside the scope, ``Conflict`` while a publishing is under way.
    """
    check_edit(scope)
    stand_beside_publishing()
    rows = Address.objects.select_for_update(of=("self",)).select_related("source", "community__source")
    found = list((rows if retired else rows.filter(CURRENT)).filter(pk__in=ids).order_by("pk"))
    missing = sorted(set(ids) - {address.pk for address in found})
    if missing:
        numbers = "、".join(map(str, missing[:5]))
        raise NotFound("address_unknown", f"没有找到地址 {numbers}，它可能已经停用或并入别的地址。", addresses=missing)
    for address in found:
        check_region(scope, address.region_id)
    return found


class Ledger:
    """One act on its way: what the addresses said before, and the corrections it writes."""

    def __init__(self, act: Act, reason: str, scope: Scope, undoes: AddressChange | None = None) -> None:
        """Begin an act; publishing is held off until its transaction ends."""
        stand_beside_publishing()
        self._act, self._reason, self._scope, self._undoes = act, reason, scope, undoes
        self._rows: dict[int, Address] = {}
        self._before: dict[int, Said | None] = {}
        self.corrections: list[int] = []

    def will_touch(self, *addresses: Address) -> None:
        """Note what addresses say before the act."""
        for address in addresses:
            self._rows[address.pk], self._before[address.pk] = address, said(address)

    def has_made(self, address: Address) -> None:
        """Note an address that the act brought."""
        self._rows[address.pk], self._before[address.pk] = address, None

    def correct(self, address: Address, field: str, old: Any, new: Any) -> None:
        """Write one correction of an address's row."""
        correction = correct_row(
            source=address.source,
            ext_id=address.ext_id,
            field=field,
            old_value=old,
            new_value=new,
            reason=self._reason,
            actor=self._scope.actor,
        )
        self.corrections.append(correction.pk)

    def close(self) -> AddressChange:
        """Write the change with what the addresses say now, and make names and aliases of it again."""
        spoken = _roads_spoken_of(self._rows)
        after = {pk: {**said(address), "version": version_of(address)} for pk, address in self._rows.items()}
        change = AddressChange.objects.create(
            act=self._act,
            actor=self._scope.actor,
            reason=self._reason,
            addresses=sorted(self._rows),
            corrections=self.corrections,
            before={str(pk): state for pk, state in self._before.items()},
            after={str(pk): state for pk, state in after.items()},
            undoes=self._undoes,
        )
        make_aliases_of(list(self._rows), [(each.source_id, each.ext_id) for each in self._rows.values()])
        lived_on = _roads_lived_on(self._before) ^ _roads_lived_on(after)
        _bring_names(self._rows, lived_on, spoken ^ _roads_spoken_of(self._rows))
        return change


def _roads_lived_on(states: Mapping[int, Said | None]) -> set[str]:
    return {state["road"] for state in states.values() if state and not state["retired"]}


def _roads_spoken_of(rows: Mapping[int, Address]) -> set[str]:
    return set(AddressAlias.objects.filter(address__in=rows).values_list("road", flat=True))


def _bring_names(rows: Mapping[int, Address], lived_on: Collection[str], spoken_of: Collection[str]) -> None:
    """Let names be read anew when a road came or went with these addresses or their aliases; most acts bring none."""
    others = Address.objects.filter(CURRENT).exclude(pk__in=rows)
    new_ground = any(not others.filter(road=road).exists() for road in lived_on)
    if new_ground:
        name_unmapped_roads(roads_of_addresses())
    also = AddressAlias.objects.exclude(address__in=rows)
    if new_ground or any(not also.filter(road=road).exists() for road in spoken_of):
        Source.objects.filter(pk__in={row.source_id for row in rows.values()}).update(revision=F("revision") + 1)
