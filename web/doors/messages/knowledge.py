"""Knowledge on the desk: browse and search, read, make, change, delete with a way back, and the file of a page."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError, Forbidden, NotFound
from geo.regions.queries import published_name, versions_of
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.kernel.messages.knowledge.actions import Written, change_page, delete_page, make_page, restore_page
from services.kernel.messages.knowledge.files import (
    KINDS,
    MOST_BYTES,
    check_openable,
    kind_of,
    path_of,
    text_in,
)
from services.kernel.messages.knowledge.models import Category, KnowledgePage
from services.kernel.messages.knowledge.queries import knowledge_page, knowledge_pages, may_edit
from services.kernel.messages.knowledge.words import excerpt, marked, terms_of
from services.kernel.messages.markup import as_html, as_plain
from services.kernel.messages.notices.actions import regions_to_write_for
from web.api.errors import status_of
from web.doors.common.sending import send_file
from web.doors.common.typed import typed

ON_A_PAGE: Final = 20
INLINE: Final = ("image/png", "image/jpeg")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List knowledge, newest first; or what holds the words that were typed, the best first, with the words marked."""
    scope = scope_for(request)
    q, category = typed(request, "q").strip()[:100], typed(request, "category")
    deleted = typed(request, "show") == "deleted" and scope.holds("knowledge.edit")
    rows = knowledge_pages(scope=scope, q=q, category=category, deleted=deleted).annotate(region_name=published_name())
    page = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    terms = terms_of(q)
    context = {
        "q": q,
        "category": category,
        "categories": Category.choices,
        "deleted": deleted,
        "may_edit": scope.holds("knowledge.edit"),
        "page": page,
        "total": page.paginator.count,
        "rows": [_found(row, terms) for row in page.object_list],
    }
    return render(request, "desk/knowledge.html", context)


def _found(row: KnowledgePage, terms: list[str]) -> dict[str, Any]:
    source = as_plain(row.body)
    if terms and row.file and not any(term in source.lower() for term in terms):
        source = text_in(row.file) or source
    return {
        "row": row,
        "title": marked(row.title, terms),
        "file_name": marked(row.file_name, terms),
        "excerpt": marked(excerpt(source, terms), terms),
    }


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, page_id: UUID) -> HttpResponse:
    """Show one page of knowledge."""
    scope = scope_for(request)
    page = knowledge_page(page_id, scope=scope)
    context = {
        "one": page,
        "html": as_html(page.body),
        "region": versions_of(scope=scope).filter(region=page.region_id).first(),
        "may_edit": may_edit(page, scope=scope),
        "shows": kind_of(page.file) in INLINE,
    }
    return render(request, "desk/knowledge_one.html", context)


@never_cache
@login_required
@require_safe
def file(request: HttpRequest, page_id: UUID) -> HttpResponseBase:
    """Hand out the file of a page to those who may read the page; only kinds that run nothing open in the browser."""
    page = knowledge_page(page_id, scope=scope_for(request))
    path = path_of(page.file)
    if not page.file or not path.exists():
        raise NotFound("file_missing", "这条知识没有文件，或文件已不在服务器上。")
    check_openable(page.file)
    kind = kind_of(page.file)
    inline = kind in INLINE and "download" not in request.GET
    return send_file(request, path, media_type=kind, name=page.file_name, inline=inline, tag=path.stem)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, page_id: UUID | None = None) -> HttpResponse:
    """Make a page, or change one; what is refused is said above the form, which keeps what was typed."""
    scope = scope_for(request)
    check_duty(scope, "knowledge.edit")
    page = knowledge_page(page_id, scope=scope) if page_id else None
    if page is not None and not may_edit(page, scope=scope):
        raise Forbidden("region_outside_scope", "这条知识由其他区划维护，您可以查看，不能修改。")
    if request.method == "GET":
        return _form(request, page, _form_of(page, scope))
    form = {name: typed(request, name)[:40_000] for name in ("title", "category", "body", "region", "version")}
    try:
        saved = _save(request, page, form, scope)
    except CityError as fault:
        if isinstance(fault, Forbidden):
            raise
        return _form(request, page, form, fault)
    said.success(request, "已保存。")
    return redirect("desk-knowledge-one", page_id=saved.pk)


def _save(request: HttpRequest, page: KnowledgePage | None, form: dict[str, str], scope: Scope) -> KnowledgePage:
    given = request.FILES.get("file")
    written = Written(
        title=form["title"],
        category=form["category"],
        body=form["body"],
        region=form["region"],
        file=given if isinstance(given, UploadedFile) else None,
        without_file="without_file" in request.POST,
    )
    if page is None:
        return make_page(written=written, scope=scope)
    version = int(form["version"]) if form["version"].isdecimal() and len(form["version"]) < 9 else 0
    return change_page(page_id=page.pk, written=written, version=version, scope=scope)


@login_required
@require_POST
def delete(request: HttpRequest, page_id: UUID) -> HttpResponse:
    """Hide a page; the message offers the way back."""
    page = delete_page(page_id=page_id, scope=scope_for(request))
    said.success(request, f"已删除“{page.title}”。删错了可以在本页恢复。")
    return redirect("desk-knowledge-one", page_id=page_id)


@login_required
@require_POST
def restore(request: HttpRequest, page_id: UUID) -> HttpResponse:
    """Bring a page back."""
    page = restore_page(page_id=page_id, scope=scope_for(request))
    said.success(request, f"已恢复“{page.title}”。")
    return redirect("desk-knowledge-one", page_id=page_id)


def _form(
    request: HttpRequest, page: KnowledgePage | None, form: dict[str, str], fault: CityError | None = None
) -> HttpResponse:
    context = {
        "one": page, "form": form, "fault": fault, "categories": Category.choices, "kinds": "、".join(KINDS),
        "most_mb": MOST_BYTES // 1024 // 1024, "accept": ",".join(f".{kind}" for kind in KINDS),
        "regions": regions_to_write_for(scope=scope_for(request)),
    }  # fmt: skip
    return render(request, "desk/knowledge_form.html", context, status=status_of(fault) if fault else 200)


def _form_of(page: KnowledgePage | None, scope: Scope) -> dict[str, str]:
    if page is None:
        return {"version": "0"}
    region = versions_of(scope=scope).filter(region=page.region_id).first()
    code = region.code if region else ""
    return {
        "title": page.title,
        "category": page.category,
        "body": page.body,
        "region": code,
        "version": str(page.version),
    }
