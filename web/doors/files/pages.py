"""Pages of attachments: the files of an owner, upload, one file with its preview and versions, and its content."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, NotFound
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for
from services.kernel.documents import actions
from services.kernel.documents.models import ScanState
from services.kernel.documents.previews import DRAWN, Size, page_image, pages_of, reading_of
from services.kernel.documents.queries import (
    Held,
    attachment_of,
    content_of,
    folders_of,
    owner_of,
    versions_of,
    why_closed,
)
from services.kernel.documents.registry import owner_kind
from services.kernel.documents.rendering.documents import Format
from services.kernel.documents.spec import IMAGES, FileType, Purpose
from services.kernel.documents.templates.actions import make_document
from services.kernel.documents.templates.queries import texts_for_owner
from web.api.errors import status_of
from web.doors.common.sending import GONE, send_file

MOST_AT_ONCE: Final = 20
ICONS: Final = {FileType.PDF: "file-text", FileType.DOCX: "file-text", FileType.XLSX: "table"}
TAGS: Final = {
    ScanState.WAITING: ("warn", "clock"),
    ScanState.UNSCANNED: ("", "circle-help"),
    ScanState.CLEAN: ("good", "shield-check"),
    ScanState.REFUSED: ("bad", "octagon-alert"),
}
ZOOMS: Final = (Size.FIT, Size.LARGE, Size.HUGE)


def panel_of(request: HttpRequest, kind: str, owner_id: str, **extra: Any) -> dict[str, Any]:
    """Return what the panel of an owner's files shows. Raises ``NotFound`` for an owner that is not in scope."""
    scope = scope_for(request)
    declared, owner = owner_of(kind=kind, owner_id=owner_id, scope=scope)
    folders = [
        {
            "purpose": folder.purpose,
            "accept": accepted(folder.purpose),
            "types": "、".join(type.label for type in FileType if type in folder.purpose.types),
            "files": [line_of(held) for held in folder.files],
            "removed": [line_of(held) for held in folder.removed],
            "full": folder.full,
            "adds": owner.may_edit and not folder.purpose.made,
        }
        for folder in folders_of(kind=kind, owner_id=owner_id, scope=scope)
    ]
    texts = texts_for_owner(kind=kind, region_id=owner.region_id) if owner.may_edit and declared.facts else ()
    return {"kind": kind, "owner_id": owner_id, "owner": owner, "folders": folders, "texts": texts, **extra}


def accepted(purpose: Purpose) -> str:
    """Return what a file dialogue offers for a purpose."""
    return ",".join(f"{type.media_type},{type.suffix}" for type in FileType if type in purpose.types)


def line_of(held: Held) -> dict[str, Any]:
    """Return what a list says of one file."""
    kind, icon = TAGS[ScanState(held.row.state)]
    drawn = held.type in DRAWN and held.openable and not held.purpose.sensitive
    return {
        "held": held,
        "row": held.row,
        "icon": "eye" if held.type in IMAGES else ICONS[held.type],
        "thumb": drawn,
        "tag": kind,
        "tag_icon": icon,
        "state": "" if held.row.made else ScanState(held.row.state).label,
    }


@never_cache
@login_required
@require_safe
def owner_page(request: HttpRequest, kind: str, owner_id: str) -> HttpResponse:
    """Show the files of an owner, as a page or as the panel alone."""
    return _panel(request, kind, owner_id)


@login_required
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take in files for an owner: each is judged by itself, and what is wrong with one stands beside its name."""
    scope = scope_for(request)
    kind, owner_id, purpose = (request.POST.get(key, "")[:64] for key in ("kind", "owner_id", "purpose"))
    owner_of(kind=kind, owner_id=owner_id, scope=scope)
    files = request.FILES.getlist("file")

    def take(file: UploadedFile[Any], source: Path) -> Held:
        name = file.name or ""
        return actions.attach_file(kind=kind, owner_id=owner_id, purpose=purpose, source=source, name=name, scope=scope)

    taken, faults = _take_all(files, take)
    return _answered(request, kind, owner_id, taken, faults, purpose=purpose)


@login_required
@require_POST
def replace(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Take in the next version of a file."""
    scope = scope_for(request)
    held = attachment_of(attachment_id=file_id, scope=scope)

    def take(file: UploadedFile[Any], source: Path) -> Held:
        return actions.replace_attachment(attachment_id=file_id, source=source, name=file.name or "", scope=scope)

    taken, faults = _take_all(request.FILES.getlist("file")[:1], take)
    if faults:
        status = status_of(faults[0][1])
        if _by_script(request):
            return JsonResponse({"message": faults[0][1].message}, status=status)
        return _file(request, held, fault=faults[0][1].message, status=status)
    messages.success(request, f"已换成第 {taken[0].row.version} 版，旧版仍可查看。")
    if _by_script(request):
        return JsonResponse({"href": f"/desk/files/{taken[0].row.pk}"})
    return redirect("file", taken[0].row.pk)


@login_required
@require_POST
def remove(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Take a file off its owner; the answer offers to bring it back."""
    held = actions.remove_attachment(attachment_id=file_id, scope=scope_for(request))
    return _acted(request, held, f"已移除“{held.row.name}”，可以在“已移除”里恢复。", removed=held)


@login_required
@require_POST
def restore(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Bring a removed file back."""
    try:
        held = actions.restore_attachment(attachment_id=file_id, scope=scope_for(request))
    except CityError as fault:
        if _by_script(request):
            return JsonResponse({"message": fault.message}, status=status_of(fault))
        raise
    return _acted(request, held, f"已恢复“{held.row.name}”。")


@login_required
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Make a document of an owner by a template and keep it among its files."""
    kind, owner_id = (request.POST.get(key, "")[:64] for key in ("kind", "owner_id"))
    key, _, said = request.POST.get("what", "")[:80].rpartition(".")
    format: Format = "docx" if said == "docx" else "pdf"
    try:
        held = make_document(key=key, owner_id=owner_id, format=format, scope=scope_for(request))
    except BadInput as fault:
        if _by_script(request):
            return JsonResponse({"message": fault.message}, status=status_of(fault))
        return _panel(request, kind, owner_id, faults=[("", fault)], status=status_of(fault))
    return _acted(request, held, f"已生成“{held.row.name}”。")


@never_cache
@login_required
@require_safe
def file_page(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Show one version of a file: its preview, what is known of it, and its versions."""
    return _file(request, attachment_of(attachment_id=file_id, scope=scope_for(request)))


@require_safe
def content(request: HttpRequest, file_id: uuid.UUID) -> HttpResponseBase:
    """Send the content of a file; pictures may be shown in a page, all else is a download."""
    held = content_of(attachment_id=file_id, scope=scope_for(request))
    if not held.path.exists():
        raise NotFound("content_missing", GONE)
    _note_opening(request, held)
    inline = "inline" in request.GET and held.type in IMAGES
    return send_file(
        request, held.path, media_type=held.type.media_type, name=held.row.name, inline=inline, tag=held.row.sha256
    )


@require_safe
def page_picture(request: HttpRequest, file_id: uuid.UUID, page: int) -> HttpResponseBase:
    """Send a page of a file as an image."""
    held = content_of(attachment_id=file_id, scope=scope_for(request))
    size = next((one for one in Size if one == request.GET.get("size")), Size.FIT)
    drawn = page_image(held, page=page, size=size)
    _note_opening(request, held)
    seconds = 0 if held.purpose.sensitive else 3600
    return send_file(request, drawn, media_type="image/webp", name=f"{page}.webp", inline=True, seconds=seconds)


def _file(request: HttpRequest, held: Held, *, fault: str = "", status: int = 200) -> HttpResponse:
    closed = why_closed(held)
    page = _number(request.GET.get("page", ""), 1)
    size = next((one for one in ZOOMS if one == request.GET.get("size")), Size.FIT)
    at = ZOOMS.index(size)
    versions = [line_of(one) for one in versions_of(held)]
    context: dict[str, Any] = {
        **line_of(held),
        "owner": held.owner,
        "purpose": held.purpose,
        "accept": accepted(held.purpose),
        "closed": closed.message if closed else "",
        "unscanned": closed is None and not held.row.made and held.row.state != ScanState.CLEAN,
        "fault": fault,
        "versions": versions,
        "newest": versions[0]["row"],
        "page_now": page,
        "size": size,
        "smaller": ZOOMS[at - 1] if at else "",
        "larger": ZOOMS[at + 1] if at + 1 < len(ZOOMS) else "",
        "can_replace": held.owner.may_edit and held.row.current and not held.row.removed_at and not held.purpose.made,
    }
    if closed is None:
        context |= _preview(request, held, page)
    return render(request, "desk/file.html", context, status=status)


def _preview(request: HttpRequest, held: Held, page: int) -> dict[str, Any]:
    if not held.path.exists():
        return {"preview_fault": GONE}
    if held.type in DRAWN:
        pages = pages_of(held)
        if page > pages:
            raise NotFound("page_unknown", "没有这一页。")
        return {"drawn": True, "pages": pages, "last": page == pages}
    try:
        reading = reading_of(held, page=page)
    except CityError as fault:
        return {"preview_fault": fault.message}
    _note_opening(request, held)
    return {"reading": reading, "pages": len(reading.pages), "last": page >= len(reading.pages)}


def _take_all(
    files: list[UploadedFile[Any]], take: Callable[[UploadedFile[Any], Path], Held]
) -> tuple[list[Held], list[tuple[str, CityError]]]:
    taken: list[Held] = []
    faults: list[tuple[str, CityError]] = []
    if not files:
        faults.append(("", BadInput("file_missing", "请先选一个文件。")))
    for file in files[MOST_AT_ONCE:]:
        faults.append((file.name or "", BadInput("too_many_at_once", f"一次最多上传 {MOST_AT_ONCE} 个，请分几次传。")))
    with tempfile.TemporaryDirectory(prefix="quantu-upload-") as folder:
        for at, file in enumerate(files[:MOST_AT_ONCE]):
            try:
                taken.append(take(file, _on_disk(file, Path(folder) / str(at))))
            except CityError as fault:
                faults.append((file.name or "", fault))
    return taken, faults


def _on_disk(file: File[Any], target: Path) -> Path:
    with target.open("wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
    return target


def _answered(
    request: HttpRequest,
    kind: str,
    owner_id: str,
    taken: list[Held],
    faults: list[tuple[str, CityError]],
    *,
    purpose: str,
) -> HttpResponse:
    if _by_script(request):
        if faults:
            return JsonResponse({"message": faults[0][1].message}, status=status_of(faults[0][1]))
        return _panel(request, kind, owner_id, said=f"已上传“{taken[0].row.name}”。")
    if faults:
        return _panel(request, kind, owner_id, faults=faults, faulty=purpose, status=status_of(faults[0][1]))
    messages.success(request, f"已上传 {len(taken)} 个文件。")
    return redirect(taken[0].owner.href)


def _acted(request: HttpRequest, held: Held, said: str, *, removed: Held | None = None) -> HttpResponse:
    if _by_script(request):
        return _panel(request, held.row.owner_kind, held.row.owner_id, said=said, just_removed=removed)
    messages.success(request, said)
    return redirect(held.owner.href)


def _panel(request: HttpRequest, kind: str, owner_id: str, *, status: int = 200, **extra: Any) -> HttpResponse:
    owner_kind(kind)
    context = panel_of(request, kind, owner_id, **extra)
    name = "desk/attachments_panel.html" if _by_script(request) else "desk/attachments_page.html"
    return render(request, name, context, status=status)


def _by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Fragment") == "files"


def _note_opening(request: HttpRequest, held: Held) -> None:
    """Leave a line in the audit log when the content of a sensitive file goes out."""
    if held.purpose.sensitive and request.method == "GET":
        detail = {
            "file": str(held.row.pk),
            "version": held.row.version,
            "owner": f"{held.kind.key} {held.row.owner_id}",
        }
        record_audit(act=AuditAct.FILE_OPENED, request=request, detail=detail)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) else otherwise
