"""Drafts of places: what somebody typed and has not submitted, kept for its owner alone."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from geo.errors import NotFound
from services.facilities.upkeep.models import FacilityDraft


@transaction.atomic
def keep_draft(
    *,
    draft_id: UUID,
    user_id: int,
    facility_id: int | None,
    typed: Mapping[str, str],
    base: Mapping[str, str],
    version: str,
) -> FacilityDraft:
    """Keep what somebody has typed, under an id the form made; the same id again is the same draft. Only its owner finds it."""
    draft = FacilityDraft.objects.select_for_update().filter(pk=draft_id).first()
    if draft is None:
        draft = FacilityDraft(pk=draft_id, user_id=user_id, facility_id=facility_id)
    if draft.user_id != user_id:
        raise NotFound("draft_unknown", "没有找到这份草稿，它可能已经提交或删除了。")
    draft.typed, draft.base, draft.version = dict(typed), dict(base), version
    draft.save()
    return draft


def drop_draft(*, draft_id: UUID, user_id: int) -> None:
    """Forget a draft of somebody; one that is gone already is no fault."""
    FacilityDraft.objects.filter(pk=draft_id, user=user_id).delete()


def draft_of(*, draft_id: UUID, user_id: int) -> FacilityDraft | None:
    """Return a draft of somebody, ``None`` where there is none."""
    return FacilityDraft.objects.filter(pk=draft_id, user=user_id).first()


def drafts_of(*, user_id: int, facility_id: int | None) -> list[FacilityDraft]:
    """Return the drafts of somebody for one place, or for new ones, the latest first."""
    return list(FacilityDraft.objects.filter(user=user_id, facility=facility_id)[:10])
