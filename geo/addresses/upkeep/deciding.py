"""Deciding conflicts: who is right is said once, with a reason, and written as corrections that later imports replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from geo.addresses.models import AddressConflict, ConflictState
from geo.addresses.upkeep.actions import correct_address, merge_addresses
from geo.addresses.upkeep.authority import check_edit, check_region, kept_by
from geo.addresses.upkeep.conflicts import BOTH, facts_of
from geo.addresses.upkeep.statements import reason_of
from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope

KEEP: Final = "keep"
CHOICES: Final = (KEEP, BOTH)
Mover = Callable[..., Any]
_MOVERS: dict[str, Mover] = {}


def moves(what: str) -> Callable[[Mover], Mover]:
    """Register who moves a row of another sort to where it belongs: called with ``row_id, lon, lat, scope, reason``."""

    def register(mover: Mover) -> Mover:
        _MOVERS[what] = mover
        return mover

    return register


def conflicts_in(*, scope: Scope, state: str = ConflictState.OPEN) -> QuerySet[AddressConflict]:
    """Return the conflicts of a state in the regions that a scope keeps, the furthest apart first."""
    check_edit(scope)
    if state not in ConflictState.values:
        raise BadInput("state_unknown", f"状态可选：{'、'.join(ConflictState.values)}。", parameter="state")
    return AddressConflict.objects.filter(kept_by(scope), state=state).order_by("-metres", "id")


@transaction.atomic
def decide_conflict(
    *, conflict_id: int, choice: str, scope: Scope, reason: str, keep: int | None = None, digest: str = ""
) -> AddressConflict:
    """Decide an open conflict and return it.

    ``keep`` names the statement that is right, by its place from 0: addresses of the same door are merged into that one; a
    facility and its door are put where it says. ``both`` says that all of them are true. ``digest`` is that of the facts the
    caller has seen. Raises ``Conflict`` when it is decided already or the facts have changed.
    """
    why = reason_of(reason)
    check_edit(scope)
    conflict = AddressConflict.objects.select_for_update().filter(pk=conflict_id).first()
    if conflict is None:
        raise NotFound("conflict_unknown", "没有找到这条冲突。")
    check_region(scope, conflict.region_id)
    if conflict.state != ConflictState.OPEN:
        raise Conflict("conflict_decided", f"这条冲突{conflict.get_state_display()}，不用再处理。")
    if digest and digest != conflict.digest:
        raise Conflict("conflict_changed", "您打开之后，来源的说法又变了，请重新查看后再裁定。")
    if choice not in CHOICES:
        raise BadInput("choice_unknown", f"裁定只能是：{'、'.join(CHOICES)}。", field="choice")
    change = _carry_out(facts_of(conflict), keep, scope, why) if choice == KEEP else None
    decision = {
        "at": timezone.now().isoformat(),
        "actor": scope.actor,
        "choice": choice,
        "keep": keep if choice == KEEP else None,
        "reason": why,
        "change": change,
    }
    conflict.decisions = [*conflict.decisions, decision]
    conflict.state = ConflictState.DECIDED
    conflict.save()
    return conflict


def _carry_out(facts: list[dict[str, Any]], keep: int | None, scope: Scope, reason: str) -> int | None:
    """Make the chosen statement true, and return the change of addresses that did so, if any was needed."""
    if keep is None or not 0 <= keep < len(facts):
        raise BadInput("keep_unknown", "请选出哪一个说法是对的。", field="keep")
    right = facts[keep]
    others = [one for at, one in enumerate(facts) if at != keep]
    if all(one["what"] == "address" for one in facts):
        merged = [one["id"] for one in others]
        return merge_addresses(survivor_id=right["id"], merged_ids=merged, scope=scope, reason=reason).pk
    change = None
    for one in others:
        place = {"lon": right["lon"], "lat": right["lat"]}
        if one["what"] == "address":
            radius = {"uncertainty_m": right["uncertainty_m"]}
            change = correct_address(address_id=one["id"], changes={**place, **radius}, scope=scope, reason=reason).pk
        else:
            _MOVERS[one["what"]](row_id=one["id"], **place, scope=scope, reason=reason)
    return change
