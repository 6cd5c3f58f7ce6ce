"""The pages behind a link for self-report: four digits, then form, photos, preview as everybody would see it, handing in.

Nobody signs in here. Who gave the digits holds a signed cookie for this link alone; see docs/adr/0022.
"""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages as said
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, NotFound, TooLarge
from services.facilities.kinds import kind_of
from services.kernel.documents.models import Attachment
from services.kernel.documents.previews import Size, page_image
from services.kernel.documents.queries import Held
from services.kernel.documents.registry import owner_kind, purpose_of
from services.kernel.documents.spec import MEGABYTE
from services.modules.selfreport.applying import Unfinished, door_unknown, filled, middle_of_street, rehearse
from services.modules.selfreport.documents import MOST_PHOTOS, owner_of
from services.modules.selfreport.filling import (
    add_photo,
    check_form,
    hand_in,
    open_report,
    remove_photo,
    save_draft,
    typed_into,
)
from services.modules.selfreport.links import check_open, report_of
from services.modules.selfreport.models import WITH_INSTITUTION, ReportState, SelfReport
from services.modules.selfreport.queries import KIND, PHOTO, photos_of
from services.modules.selfreport.reviewing import changes_of
from services.modules.selfreport.sheet import POSITION, items_of
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.sending import send_file
from web.doors.common.typed import number_typed, typed
from web.doors.finder.asking import read_ask
from web.doors.finder.cards import make_card, row_of
from web.doors.finder.one_place import Photo, sections_of

SALT: Final = "selfreport.entered"
ENTERED_S: Final = 12 * 3600
PHOTO_BYTES: Final = 10 * MEGABYTE


@never_cache
@require_safe
def fill_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the digits, or show the form; what is handed in can only be read."""
    report = report_of(token)
    if not _entered(request, report):
        return _asked(request, report)
    if report.state in WITH_INSTITUTION:
        check_open(report)
        return _form(request, token, report)
    return _standing(request, report)


@never_cache
@require_POST
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Let in who knows the last four digits of the number that the link was sent to."""
    try:
        report = open_report(token=token, digits=typed(request, "digits"))
    except BadInput as refused:
        return _asked(request, report_of(token), refused)
    answer = redirect("fill", token)
    answer.set_signed_cookie(
        _cookie(report),
        str(report.issue),
        salt=SALT,
        max_age=ENTERED_S,
        path=f"/fill/{token}",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


@never_cache
@require_POST
def save(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the form as a draft; then add or remove a photo, or go on to the preview, as was asked."""
    report = _let_in(request, token)
    if report.state not in WITH_INSTITUTION:
        return redirect("fill", token)
    answers = typed_into(report, request.POST)
    try:
        report = save_draft(report=report, typed=answers, seen=number_typed(request, "version"))
        added = _change_photos(request, report)
    except CityError as refused:
        report.refresh_from_db()
        return _form(request, token, report, refused, answers)
    if typed(request, "act") == "preview":
        return redirect("fill-preview", token)
    said.success(
        request, f"已保存，加了 {added} 张照片。" if added else "已保存。换一台设备打开同一个链接，可以接着填。"
    )
    return redirect("fill", token)


@never_cache
@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show the place as everybody would see it once this is approved; what cannot be handed in is said at its item."""
    report = _let_in(request, token)
    if report.state not in WITH_INSTITUTION:
        return redirect("fill", token)
    check_open(report)
    try:
        check_form(report)
        detail, facts = rehearse(report)
    except CityError as refused:
        return _form(request, token, report, refused)
    ask = read_ask({})
    context = {
        "report": report,
        "token": token,
        "door_unknown": door_unknown(report),
        "card": make_card(request, detail, row_of(detail, None, ask), ask),
        "ask": ask,
        "sections": sections_of(facts),
        "photos": [_photo(token, photo) for photo in photos_of(report)],
    }
    return render(request, "fill/preview.html", context)


@never_cache
@require_POST
def submit(request: HttpRequest, token: str) -> HttpResponse:
    """Hand in what was previewed."""
    report = _let_in(request, token)
    try:
        hand_in(report=report, seen=number_typed(request, "version"))
    except CityError as refused:
        report.refresh_from_db()
        return _form(request, token, report, refused)
    return redirect("fill", token)


@never_cache
@require_safe
def photo(request: HttpRequest, token: str, photo_id: UUID) -> HttpResponseBase:
    """Send a photo of this report as a picture; one that was not found clean yet is not shown."""
    report = _let_in(request, token)
    row = next((each for each in photos_of(report) if each.pk == photo_id), None)
    if row is None:
        raise NotFound("photo_unknown", "没有找到这张照片，请刷新页面再看。")
    kind, owner = owner_kind(KIND), owner_of(report)
    held = Held(row, kind, owner, purpose_of(kind, PHOTO, owner))
    if not held.openable:
        raise NotFound("photo_waiting", "这张照片还在查毒，过一会儿再看。")
    drawn = page_image(held, page=1, size=Size.THUMB)
    return send_file(request, drawn, media_type="image/webp", name="photo.webp", inline=True, seconds=3600)


def _let_in(request: HttpRequest, token: str) -> SelfReport:
    report = report_of(token)
    if not _entered(request, report):
        raise NotFound("link_not_entered", "请从短信里的链接重新打开，输入手机号后四位。已保存的内容还在。")
    return report


def _entered(request: HttpRequest, report: SelfReport) -> bool:
    issue = request.get_signed_cookie(_cookie(report), default="", salt=SALT, max_age=ENTERED_S)
    return bool(issue == str(report.issue) and report.state != ReportState.REVOKED)


def _cookie(report: SelfReport) -> str:
    return f"fill-{report.uid.hex[-12:]}"


def _asked(request: HttpRequest, report: SelfReport, fault: CityError | None = None) -> HttpResponse:
    if report.state in (*WITH_INSTITUTION, ReportState.REVOKED):
        check_open(report)
    context = {"report": report, "token": request.resolver_match.kwargs["token"], "fault": fault}  # type: ignore[union-attr]
    return render(request, "fill/ask.html", context, status=status_of(fault) if fault else 200)


def _form(
    request: HttpRequest,
    token: str,
    report: SelfReport,
    fault: CityError | None = None,
    answers: dict[str, str] | None = None,
) -> HttpResponse:
    """Show the form with what is kept, or with what was typed when it could not be kept."""
    texts = answers or filled(report)
    faults = fault.faults if isinstance(fault, Unfinished) else {}
    if fault is not None and (field := str(fault.detail.get("field") or "")):
        faults = {POSITION if field == "lon" else field: fault.message, **faults}
    others = fault.detail.get("others", {}) if fault is not None else {}
    fields = [
        {
            "item": item,
            "id": item.key.replace(".", "-"),
            "text": texts.get(item.key, ""),
            "fault": faults.get(item.key, ""),
            "other": others.get(item.key, ""),
        }
        for item in items_of(report.kind)
    ]
    context = {
        "report": report,
        "token": token,
        "kind": kind_of(report.kind),
        "sections": [(name, list(rows)) for name, rows in groupby(fields, key=lambda each: each["item"].section)],
        "photos": [(each, _photo(token, each)) for each in photos_of(report)],
        "most_photos": MOST_PHOTOS,
        "fault": fault,
        "at": middle_of_street(report) if report.facility_id is None else None,
        **map_context(),
        "photo_fault": fault is not None and fault.code in PHOTO_FAULTS,
    }
    return render(request, "fill/form.html", context, status=status_of(fault) if fault else 200)


PHOTO_FAULTS: Final = frozenset({"too_many_files", "photo_too_large"})


def _standing(request: HttpRequest, report: SelfReport) -> HttpResponse:
    context = {"report": report, "changes": changes_of(report), "photos": len(photos_of(report))}
    return render(request, "fill/standing.html", context)


def _photo(token: str, row: Attachment) -> Photo:
    address = f"/fill/{token}/photos/{row.pk}"
    return Photo(address, address, row.name)


def _change_photos(request: HttpRequest, report: SelfReport) -> int:
    """Take off the photo that was named, add those that came, and return how many came."""
    act, _, which = typed(request, "act").partition(":")
    if act == "remove":
        try:
            remove_photo(report=report, photo_id=UUID(which))
        except ValueError:
            raise NotFound("photo_unknown", "没有找到这张照片，请刷新页面再看。") from None
    files = request.FILES.getlist("photo")[: MOST_PHOTOS + 1]
    for file in files:
        _take(report, file)
    return len(files)


def _take(report: SelfReport, file: UploadedFile[Any]) -> None:
    if (file.size or 0) > PHOTO_BYTES:
        raise TooLarge("photo_too_large", f"“{file.name}”超过 10 MB，请换一张小一点的。", field=PHOTO)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "photo"
        with target.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        add_photo(report=report, source=target, name=file.name or "照片.jpg")
