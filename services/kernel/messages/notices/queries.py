"""Reads of notices: what somebody is shown, what everybody is shown, and what an editor keeps."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.messages.notices.models import Notice, NoticeState
from services.kernel.messages.reach import reaches


def _showing() -> Q:
    now = timezone.now()
    begun = Q(state=NoticeState.PUBLISHED, shows_from__lte=now)
    return begun & (Q(shows_until=None) | Q(shows_until__gt=now))


def public_notices() -> QuerySet[Notice]:
    """Return the notices for everyone that show now, the newest first."""
    return Notice.objects.filter(_showing(), public=True)


def notices_for(*, scope: Scope, roles: Collection[str]) -> QuerySet[Notice]:
    """Return the notices that show now to somebody with these roles: of their regions, those above and below, and public ones."""
    named = Q(roles=[]) | Q(roles__overlap=list(roles))
    meant = reaches(scope) & named if roles else Q(pk__in=[])
    return Notice.objects.filter(_showing()).filter(Q(public=True) | meant)


def notices_kept(*, scope: Scope, state: str = "") -> QuerySet[Notice]:
    """Return the notices of the scope's regions in every state. Needs ``notices.edit``."""
    check_duty(scope, "notices.edit")
    rows = Notice.objects.filter(within(scope))
    return rows.filter(state=state) if state in NoticeState.values else rows


def notice_shown(notice_id: UUID, *, scope: Scope, roles: Collection[str]) -> Notice:
    """Return one notice that its reader may see: shown to them, or kept by them. Raises ``NotFound``."""
    found = notices_for(scope=scope, roles=roles).filter(pk=notice_id).first()
    if found is None and scope.holds("notices.edit"):
        found = notices_kept(scope=scope).filter(pk=notice_id).first()
    if found is None:
        raise NotFound("notice_unknown", "没有找到这条公告，可能已经撤回或到期。")
    return found
