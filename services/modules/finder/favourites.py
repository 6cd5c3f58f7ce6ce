"""Writes of favourites: mark, unmark, take over what a device held, put in order, note. All of one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction

from geo.addresses.gazetteer import published_now
from geo.errors import NotFound, TooLarge, TooMany
from geo.scope import Scope
from services.access.models import User
from services.crypto.actions import drop_secrets, keep_secrets
from services.facilities.models import Facility, FacilityStatus
from services.facilities.queries import visible
from services.modules.finder.models import Favourite
from services.modules.finder.queries import favourite_ids
from services.modules.finder.words import MOST_NOTE

MOST: Final = 200


@transaction.atomic
def keep_favourite(*, user: User, place_id: int, scope: Scope) -> None:
    """Mark a place, first of all; marking it twice changes nothing. Raises ``NotFound``, and ``TooMany`` beyond 200."""
    if merge_favourites(user=user, ids=[place_id], scope=scope):
        return
    if not Favourite.objects.filter(user=user, facility=place_id).exists():
        if Favourite.objects.filter(user=user).count() >= MOST:
            raise TooMany("favourites_full", f"最多收藏 {MOST} 家，请先取消几家。")
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经撤销或换了编号。可以按名称再找一次。")


@transaction.atomic
def merge_favourites(*, user: User, ids: Sequence[int], scope: Scope) -> int:
    """Add places to the marked ones, before them and in their own order, and return how many were new.

    What is marked already, is not to be seen, or is beyond 200 is passed over.
    """
    User.objects.select_for_update().get(pk=user.pk)  # two devices that sign in at once are merged one after the other
    kept = favourite_ids(user)
    wanted = [one for one in dict.fromkeys(ids) if one not in set(kept)][: max(0, MOST - len(kept))]
    shown = visible(scope, published_now(), FacilityStatus.values)
    known = set(Facility.objects.filter(shown, pk__in=wanted).values_list("pk", flat=True))
    new = [one for one in wanted if one in known]
    first = Favourite.objects.filter(user=user).values_list("rank", flat=True).first() or 0
    Favourite.objects.bulk_create(
        Favourite(user=user, facility_id=one, rank=first - len(new) + at) for at, one in enumerate(new)
    )
    return len(new)


@transaction.atomic
def drop_favourite(*, user: User, place_id: int) -> None:
    """Take the mark off a place, with its note; doing it twice changes nothing."""
    for row in Favourite.objects.filter(user=user, facility=place_id):
        drop_secrets(owner=row.uid)
        row.delete()


@transaction.atomic
def order_favourites(*, user: User, ids: Sequence[int]) -> None:
    """Put the marked places into an order; those that are not named follow as they were."""
    rows = list(Favourite.objects.select_for_update().filter(user=user))
    wanted = {one: at for at, one in enumerate(ids)}
    for row in rows:
        row.rank = wanted.get(row.facility_id, len(wanted) + row.rank - rows[0].rank)
    Favourite.objects.bulk_update(rows, ["rank"])


@transaction.atomic
def note_favourite(*, user: User, place_id: int, text: str) -> None:
    """Keep a note on a marked place, sealed; an empty one takes it off. Raises ``NotFound``, ``TooLarge`` beyond 100 signs."""
    words = " ".join(text.split())
    if len(words) > MOST_NOTE:
        raise TooLarge("note_too_long", f"备注最多 {MOST_NOTE} 个字，请写短一点。", field="note")
    row = Favourite.objects.select_for_update().filter(user=user, facility=place_id).first()
    if row is None:
        raise NotFound("favourite_unknown", "这家机构不在您的收藏里，请先收藏。")
    keep_secrets(owner=row.uid, values={"note": words}, found_by={"note": ""})
    row.noted = bool(words)
    row.save(update_fields=["noted"])


def moved(ids: Sequence[int], kinds: Mapping[int, str], place_id: int, *, up: bool) -> list[int]:
    """Return the ids with one exchanged for the nearest before it, or after it, that is of the same kind. Pure."""
    order = list(ids)
    if place_id not in order:
        return order
    at = order.index(place_id)
    others = range(at - 1, -1, -1) if up else range(at + 1, len(order))
    other = next((one for one in others if kinds.get(order[one]) == kinds.get(place_id)), at)
    order[at], order[other] = order[other], order[at]
    return order
