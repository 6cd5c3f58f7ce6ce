"""Writes of knowledge: make, change, delete and bring back. Each asks for ``knowledge.edit`` over the page's region."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pghistory
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.messages.knowledge.files import keep_file, text_in
from services.kernel.messages.knowledge.models import Category, KnowledgePage
from services.kernel.messages.knowledge.queries import knowledge_page, may_edit
from services.kernel.messages.knowledge.words import as_vector

LONGEST_TITLE = 80
LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Written:
    """What an editor writes: title, category, text with light markup, region (code); a file, or the wish to be rid of it."""

    title: str
    category: str
    body: str
    region: str
    file: UploadedFile[bytes] | None = None
    without_file: bool = False


@transaction.atomic
def make_page(*, written: Written, scope: Scope) -> KnowledgePage:
    """Keep a new page with its file, and return it."""
    check_duty(scope, "knowledge.edit")
    page = KnowledgePage(made_by=scope.actor)
    _fill(page, written, scope)
    page.save(force_insert=True)
    _index(page)
    return page


@transaction.atomic
def change_page(*, page_id: UUID, written: Written, version: int, scope: Scope) -> KnowledgePage:
    """Change a page. Raises ``Conflict`` when it is not as its editor saw it."""
    page = _locked(page_id, scope)
    if page.version != version:
        raise Conflict(
            "knowledge_changed", "您编辑期间有人改过这条知识。请刷新后核对，再保存您的改动。", version=page.version
        )
    _fill(page, written, scope)
    _save(page)
    _index(page)
    return page


@transaction.atomic
def delete_page(*, page_id: UUID, scope: Scope) -> KnowledgePage:
    """Hide a page from everyone; deleting one that is deleted changes nothing."""
    page = _locked(page_id, scope)
    if page.deleted_at is None:
        page.deleted_at, page.changed_by = timezone.now(), scope.actor
        _save(page)
    return page


@transaction.atomic
def restore_page(*, page_id: UUID, scope: Scope) -> KnowledgePage:
    """Bring a deleted page back as it was."""
    page = _locked(page_id, scope)
    if page.deleted_at is not None:
        page.deleted_at, page.changed_by = None, scope.actor
        _save(page)
    return page


def _locked(page_id: UUID, scope: Scope) -> KnowledgePage:
    check_duty(scope, "knowledge.edit")
    page = knowledge_page(page_id, scope=scope)
    if not may_edit(page, scope=scope):
        raise Forbidden("region_outside_scope", "这条知识由其他区划维护，您可以查看，不能修改。")
    return KnowledgePage.objects.select_for_update().get(pk=page_id)


def _fill(page: KnowledgePage, written: Written, scope: Scope) -> None:
    title, body = written.title.strip(), written.body.strip()
    if not title or len(title) > LONGEST_TITLE:
        raise BadInput("knowledge_title", f"请写标题，最多 {LONGEST_TITLE} 字。")
    if len(body) > LONGEST_BODY:
        raise BadInput("knowledge_too_long", f"正文最多 {LONGEST_BODY} 字，更长的内容请作为文件上传。")
    if written.category not in Category.values:
        raise BadInput("category_unknown", "请选择分类。")
    region = versions_of(scope=scope).filter(within(scope), code=written.region).first()
    if region is None:
        raise Forbidden("region_outside_scope", "这个区划不在您的管辖范围内，请选自己管辖的区划。")
    if written.file is not None:
        page.file, page.file_name, page.file_size = keep_file(written.file, owner=page.pk)
    elif written.without_file:
        page.file, page.file_name, page.file_size = "", "", 0
    if not body and not page.file:
        raise BadInput("knowledge_empty", "请写正文，或上传一个文件。")
    page.title, page.category, page.body = title, written.category, body
    page.region_id, page.changed_by = region.region_id, scope.actor


def _save(page: KnowledgePage) -> None:
    page.version += 1
    with pghistory.context(actor=page.changed_by):
        page.save()


def _index(page: KnowledgePage) -> None:
    """Write the words a page is found by: of its title, its file's name and category, its text, and a plain file's text."""
    parts = [
        ("A", page.title),
        ("B", f"{page.file_name} {page.get_category_display()}"),
        ("C", page.body),
        ("D", text_in(page.file) if page.file else ""),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_knowledge_knowledgepage SET words = %s::tsvector WHERE id = %s", [as_vector(parts), page.pk]
        )
