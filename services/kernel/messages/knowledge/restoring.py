"""How a page of the knowledge base returns to what it said: by the actions of its editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.kernel.messages.knowledge.actions import Written, change_page, delete_page
from services.kernel.messages.knowledge.actions import restore_page as bring_back
from services.kernel.messages.knowledge.queries import knowledge_page


@transaction.atomic
def restore_page(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Let a page say again what it said before a change; one that was deleted comes back, one brought back goes again."""
    page_id = UUID(pk)
    if "deleted_at" in before:
        bring_back(page_id=page_id, scope=scope) if before["deleted_at"] is None else delete_page(
            page_id=page_id, scope=scope
        )
    if before.keys() & {"title", "category", "body"}:
        page = knowledge_page(page_id, scope=scope)
        code = RegionVersion.objects.filter(edition__state="published", region=page.region_id).values_list("code")
        written = Written(
            title=before.get("title", page.title),
            category=before.get("category", page.category),
            body=before.get("body", page.body),
            region=str(code[0][0]),
        )
        change_page(page_id=page_id, written=written, version=page.version, scope=scope)
