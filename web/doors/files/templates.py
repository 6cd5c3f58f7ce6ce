"""The desk of templates: what counts in a region, a text of one's own, versions forward and back, a sample of any of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.kept import open_file
from services.access.queries import scope_for
from services.kernel.documents.names import plain_name
from services.kernel.documents.rendering.documents import Format, Text
from services.kernel.documents.spec import FileType
from services.kernel.documents.templates import actions
from services.kernel.documents.templates.queries import (
    kept_template,
    region_kept,
    regions_kept,
    sample_of,
    templates_kept,
    text_of,
    version_kept,
)
from services.kernel.documents.templates.starting import starting_text
from web.api.errors import status_of
from web.doors.common.sending import CONFINED


@never_cache
@login_required
@require_safe
def templates_page(request: HttpRequest) -> HttpResponse:
    """List the templates as they stand in a region the caller keeps."""
    scope = scope_for(request)
    region_id = _region_asked(request)
    context = {
        "templates": templates_kept(region_id=region_id, scope=scope),
        "regions": regions_kept(scope=scope),
        "region": region_kept(region_id=region_id, scope=scope),
    }
    return render(request, "desk/templates.html", context)


@never_cache
@login_required
@require_safe
def template_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one template in a region: what counts, its fields, its versions and what was done to it."""
    return _template(request, key)


@login_required
@require_POST
def upload(request: HttpRequest, key: str) -> HttpResponse:
    """Take in a Word file as the next version; what is wrong with it is said beside the form."""
    scope = scope_for(request)
    region = region_kept(region_id=_region_asked(request), scope=scope)
    try:
        file = request.FILES.get("file")
        if not isinstance(file, File):
            raise BadInput("file_missing", "请先选一个 Word 文件。")
        with tempfile.TemporaryDirectory(prefix="quantu-template-") as folder:
            source = Path(folder) / "template"
            with source.open("wb") as out:
                for chunk in file.chunks():
                    out.write(chunk)
            version = actions.upload_template(
                key=key, region_id=region.region_id, source=source, name=file.name or "", scope=scope,
                note=request.POST.get("note", ""),
            )  # fmt: skip
    except CityError as fault:
        return _template(request, key, fault=fault)
    messages.success(request, f"第 {version.number} 版已上传，还没有生效。看过示例后请点“发布”。")
    return redirect(_here(key, region.region_id))


@login_required
@require_POST
def publish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Let a version count, a newer or an older one."""
    version = actions.publish_template(version_id=version_id, scope=scope_for(request))
    messages.success(request, f"第 {version.number} 版已发布，以后的文书都用它。以前的文书不变。")
    return redirect(_here(version.template.key, version.template.region_id))


@login_required
@require_POST
def delete(request: HttpRequest, version_id: int) -> HttpResponse:
    """Delete a version that was never published; why another one stays is said on the page."""
    scope = scope_for(request)
    version = version_kept(version_id=version_id, scope=scope)
    try:
        actions.delete_version(version_id=version_id, scope=scope)
    except Conflict as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, f"第 {version.number} 版已删除，正在用的模板不变。")
    return redirect(_here(version.template.key, version.template.region_id))


@login_required
@require_POST
def withdraw(request: HttpRequest, key: str) -> HttpResponse:
    """Let the text above count again."""
    scope = scope_for(request)
    region = region_kept(region_id=_region_asked(request), scope=scope)
    actions.withdraw_template(key=key, region_id=region.region_id, scope=scope)
    messages.success(request, "已停用本地模板，改用上一级的。原来的版本还在，可以再发布。")
    return redirect(_here(key, region.region_id))


@never_cache
@login_required
@require_safe
def sample(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the text that counts, or one version, filled with the sample."""
    scope = scope_for(request)
    asked = request.GET.get("version", "")
    if asked.isascii() and asked.isdecimal() and len(asked) < 10:
        text = text_of(version_kept(version_id=int(asked), scope=scope))
        if text.spec.key != key:
            raise NotFound("template_unknown", "没有找到这个版本的模板。")
    else:
        region = region_kept(region_id=_region_asked(request), scope=scope)
        text = kept_template(key=key, region_id=region.region_id, scope=scope).now
    format: Format = "docx" if request.GET.get("format") == "docx" else "pdf"
    return _download(sample_of(text, format), f"{text.spec.title}－示例", FileType(format))


@never_cache
@login_required
@require_safe
def text(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the Word text that counts to change it; where the text is no Word file, one with all fields to begin with."""
    region = region_kept(region_id=_region_asked(request), scope=scope_for(request))
    now: Text = kept_template(key=key, region_id=region.region_id, scope=scope_for(request)).now
    if now.kind == "docx":
        with open_file(now.path) as kept:
            content = kept.read()
    else:
        content = starting_text(now.spec)
    return _download(content, f"{now.spec.title}－模板", FileType.DOCX)


def _template(request: HttpRequest, key: str, *, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    region = region_kept(region_id=_region_asked(request), scope=scope)
    context: dict[str, Any] = {
        "kept": kept_template(key=key, region_id=region.region_id, scope=scope),
        "regions": regions_kept(scope=scope),
        "region": region,
        "fault": fault,
        "note": request.POST.get("note", ""),
    }
    return render(request, "desk/template.html", context, status=status_of(fault) if fault else 200)


def _download(content: bytes, name: str, type: FileType) -> HttpResponse:
    response = HttpResponse(content, content_type=type.media_type)
    response["Content-Disposition"] = content_disposition_header(True, plain_name(name, type)) or "attachment"
    response["Content-Security-Policy"] = CONFINED
    return response


def _region_asked(request: HttpRequest) -> int | None:
    said = request.POST.get("region") or request.GET.get("region", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 12 else None


def _here(key: str, region_id: int) -> str:
    return f"{reverse('desk-template', args=[key])}?region={region_id}"
