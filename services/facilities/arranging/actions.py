"""Changes of arrangements: a draft is saved, published at once, discarded; the list is given back to what is declared."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.arranging.models import ArrangementVersion
from services.facilities.arranging.queries import DUTY, check_list
from services.facilities.arranging.sheets import Sheet, data_of, wrong_with

LONGEST_NOTE = 200


@transaction.atomic
def save_draft(*, kinds: str, entry: str, sheet: Sheet, revision: int, scope: Scope) -> ArrangementVersion:
    """Keep the draft of a list (``kinds``: a group or a kind); ``revision`` is the one it was read at, 0 for a new draft.

    A draft may hold what cannot be published. Needs ``settings.write`` over the city. Raises ``Conflict`` when somebody else
    saved meanwhile, ``Forbidden``, ``NotFound``.
    """
    check_city_duty(scope, DUTY)
    check_list(kinds, entry)
    city = current_city().key
    own = ArrangementVersion.objects.select_for_update().filter(city=city, kinds=kinds, entry=entry)
    draft = own.filter(published_at=None).first()
    if (draft.revision if draft else 0) != revision:
        raise Conflict("arrangement_changed", "这份草稿刚被别人改过，请看过最新的内容再改。")
    if draft is None:
        draft = ArrangementVersion(
            city=city, kinds=kinds, entry=entry, number=_next_number(city, kinds, entry), revision=0,
            made_by=scope.actor,
        )  # fmt: skip
    draft.sheet, draft.changed_by = data_of(sheet), scope.actor
    draft.revision += 1
    draft.save()
    return draft


@transaction.atomic
def publish_draft(*, version: UUID | str, sheet: Sheet, note: str, scope: Scope) -> ArrangementVersion:
    """Publish a draft as it was read (``sheet``); everybody sees it with their next page.

    Raises ``BadInput`` with the first thing that is wrong, ``Conflict`` when the draft is another by now, ``Forbidden``.
    """
    check_city_duty(scope, DUTY)
    draft = _locked(version)
    if draft.sheet != data_of(sheet):
        raise Conflict("arrangement_changed", "这份草稿刚被别人改过，请看过最新的内容再发布。")
    for wrong in wrong_with(sheet, draft.kinds)[:1]:
        raise BadInput("arrangement_wrong", wrong.said, where=wrong.where)
    draft.note, draft.published_by, draft.published_at = note.strip()[:LONGEST_NOTE], scope.actor, timezone.now()
    draft.changed_by = scope.actor
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, version: UUID | str, scope: Scope) -> ArrangementVersion:
    """Throw a draft away and return what it was. Raises ``NotFound`` when it is published or gone, ``Forbidden``."""
    check_city_duty(scope, DUTY)
    draft = _locked(version)
    draft.delete()
    return draft


@transaction.atomic
def publish_as_declared(*, kinds: str, entry: str, note: str, scope: Scope) -> ArrangementVersion:
    """Give a list back to what is declared, or to what is arranged for all entries or for the group; a version that says so."""
    check_city_duty(scope, DUTY)
    check_list(kinds, entry)
    city = current_city().key
    if ArrangementVersion.objects.filter(city=city, kinds=kinds, entry=entry, published_at=None).exists():
        raise Conflict("arrangement_drafted", "还有一份草稿没有发布，请先发布或放弃它。")
    now = timezone.now()
    return ArrangementVersion.objects.create(
        city=city, kinds=kinds, entry=entry, number=_next_number(city, kinds, entry), active=False, sheet={},
        note=note.strip()[:LONGEST_NOTE], made_by=scope.actor, changed_by=scope.actor, published_by=scope.actor,
        published_at=now,
    )  # fmt: skip


def _locked(version: UUID | str) -> ArrangementVersion:
    found = (
        ArrangementVersion.objects.select_for_update()
        .filter(pk=version, city=current_city().key, published_at=None)
        .first()
    )
    if found is None:
        raise NotFound("draft_unknown", "这份草稿已经发布或不在了，请刷新页面。")
    return found


def _next_number(city: str, kinds: str, entry: str) -> int:
    last = ArrangementVersion.objects.filter(city=city, kinds=kinds, entry=entry).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
