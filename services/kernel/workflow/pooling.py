"""Writes of pools: a district takes people in, says which matters each handles, lets them pause, and takes them out."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from geo.errors import BadInput, NotFound
from geo.scope import Scope
from services.kernel.workflow.models import PoolMember
from services.kernel.workflow.pools import candidates, district_kept, districts_kept
from services.kernel.workflow.registry import matters


@transaction.atomic
def take_in(*, region: str, user_id: int, keys: Iterable[str], note: str = "", scope: Scope) -> PoolMember:
    """Take somebody who handles cases in a district (by code) into its pool, for some matters or (none) for all."""
    place = district_kept(region, scope=scope)
    person = next((each for each in candidates(place.region_id) if each.pk == user_id), None)
    if person is None:
        raise BadInput("person_unfit", "只能选在本区办件、还没有进资源池的人，请从名单里选。")
    return PoolMember.objects.create(
        region_id=place.region_id, user=person, matters=_known(keys), note=note.strip()[:100], changed_by=scope.actor
    )


@transaction.atomic
def set_member(*, member_id: int, keys: Iterable[str], paused: bool, note: str = "", scope: Scope) -> PoolMember:
    """Say which matters somebody in a pool handles, and whether they get work now; what they have already stays theirs."""
    row = _kept(member_id, scope)
    row.matters, row.paused, row.note, row.changed_by = _known(keys), paused, note.strip()[:100], scope.actor
    row.save()
    return row


@transaction.atomic
def take_out(*, member_id: int, scope: Scope) -> None:
    """Take somebody out of a pool; what they have already stays theirs."""
    _kept(member_id, scope).delete()


def _known(keys: Iterable[str]) -> list[str]:
    chosen = sorted(set(keys))
    if set(chosen) - matters().keys():
        raise BadInput("matter_unknown", "请从列出的事项里选。")
    return chosen


def _kept(member_id: int, scope: Scope) -> PoolMember:
    row = PoolMember.objects.select_for_update(of=("self",)).filter(pk=member_id).first()
    kept = {place.region_id for place in districts_kept(scope=scope)}
    if row is None or row.region_id not in kept:
        raise NotFound("member_unknown", "资源池里没有这个人，请刷新页面。")
    return row
