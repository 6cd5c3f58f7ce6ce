"""Reads of knowledge: browse, search, one page. Knowledge of a region is for those below it and above it."""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, QuerySet

from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.messages.knowledge.models import Category, KnowledgePage
from services.kernel.messages.knowledge.words import as_query
from services.kernel.messages.reach import reaches


def knowledge_pages(*, scope: Scope, q: str = "", category: str = "", deleted: bool = False) -> QuerySet[KnowledgePage]:
    """Return the pages somebody may read: all of ``q``'s words in them, the best first; without ``q`` the newest first.

    Needs ``knowledge.view``. ``deleted`` ones only to those who may bring them back. Words of the title count more than those of
    the text.
    """
    check_duty(scope, "knowledge.view")
    rows = KnowledgePage.objects.filter(reaches(scope), deleted_at__isnull=not deleted)
    if deleted:
        check_duty(scope, "knowledge.edit")
        rows = rows.filter(within(scope))
    if category in Category.values:
        rows = rows.filter(category=category)
    if q.strip():
        query = as_query(q)
        if not query:
            return rows.none()
        asked = SearchQuery(query, search_type="raw", config="simple")
        rows = (
            rows.filter(words=asked).annotate(fit=SearchRank(F("words"), asked)).order_by("-fit", "-changed_at", "-id")
        )
    return rows


def knowledge_page(page_id: UUID, *, scope: Scope) -> KnowledgePage:
    """Return one page; deleted ones only to those who may bring them back. Raises ``NotFound``."""
    found = knowledge_pages(scope=scope).filter(pk=page_id).first()
    if found is None and scope.holds("knowledge.edit"):
        found = knowledge_pages(scope=scope, deleted=True).filter(pk=page_id).first()
    if found is None:
        raise NotFound("knowledge_unknown", "没有找到这条知识，可能已经删除。")
    return found


def may_edit(page: KnowledgePage, *, scope: Scope) -> bool:
    """Say whether a scope may change a page: it holds ``knowledge.edit`` over the page's region."""
    return scope.holds("knowledge.edit") and KnowledgePage.objects.filter(within(scope), pk=page.pk).exists()
