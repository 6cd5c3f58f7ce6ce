"""“这里有误”: anybody says what is wrong with a place, and staff who keep it answer; nothing is kept of who sent it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, TooLarge, TooMany
from services.access.models import User
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.facilities.known import known_of
from services.facilities.queries import city_now, facility_detail
from services.modules.finder.models import ReportState
from services.modules.finder.queries import report_seen, waiting_at
from services.modules.finder.reports import ANSWER_DAYS, ENDS, STEPS, report_place, settle_report
from services.modules.finder.words import MOST_WORDS, WRONG
from web.api.errors import status_of
from web.api.limits import address_of
from web.doors.common.typed import typed

AN_HOUR: Final = 10
"""Reports an hour from one address: a family needs one or two, an office that shares an address a few."""
SALT: Final = "finder.report"
FORM_S: Final = 24 * 3600
PHOTO_BYTES: Final = 10_000_000
SAID: Final = ("what", "text", "phone")


@never_cache
@require_http_methods(["GET", "POST"])
def wrong_page(request: HttpRequest, place_id: int) -> HttpResponse:
    """Ask what is wrong with a place, and keep it; what is refused is said beside the form, which keeps what was typed."""
    detail = facility_detail(place_id, scope=scope_for(request))
    fault: CityError | None = None
    if request.method == "POST":
        try:
            _take(request, place_id)
        except CityError as refused:
            fault = refused
        else:
            said.success(request, f"谢谢您。我们会在 {ANSWER_DAYS} 个工作日内核对，改正后大家都能看到。")
            return redirect("place", place_id)
    context = {
        "place": detail.place,
        "wrong": WRONG,
        "most": MOST_WORDS,
        "days": ANSWER_DAYS,
        "token": signing.dumps({"mark": str(new_id()), "place": place_id}, salt=SALT),
        "fault": fault,
        "field": (fault.detail.get("field") if fault else "") or "",
        "form": {name: typed(request, name) for name in SAID},
        "signed": isinstance(request.user, User),
    }
    return render(request, "places/wrong.html", context, status=status_of(fault) if fault else 200)


def _take(request: HttpRequest, place_id: int) -> None:
    mark = _mark(request, place_id)
    if typed(request, "website"):
        return  # a field that no person sees: whoever fills it in learns nothing
    _count(request)
    user = request.user if isinstance(request.user, User) else None
    file = request.FILES.get("photo")
    asked: dict[str, Any] = {name: typed(request, name) for name in SAID}
    with tempfile.TemporaryDirectory() as folder:
        photo = _received(file, Path(folder)) if file else None
        report_place(mark=mark, place_id=place_id, scope=scope_for(request), user=user, photo=photo, **asked)


def _mark(request: HttpRequest, place_id: int) -> UUID:
    try:
        token = signing.loads(typed(request, "token"), salt=SALT, max_age=FORM_S)
    except signing.BadSignature:
        raise BadInput("form_expired", "这一页开得太久了，请再点一次“提交”。") from None
    if token["place"] != place_id:
        raise BadInput("form_expired", "这一页不是这家机构的，请从机构的页面再打开一次。")
    return UUID(token["mark"])


def _count(request: HttpRequest) -> None:
    """Count by a digest of the address and the hour: it cannot be turned back, means nothing an hour later, and is gone then."""
    hour = city_now().strftime("%Y%m%d%H")
    digest = salted_hmac(SALT, f"{hour}:{address_of(request)}", algorithm="sha256").hexdigest()
    key = f"{SALT}:{digest}"
    cache.add(key, 0, timeout=3600)
    if cache.incr(key) > AN_HOUR:
        raise TooMany(
            "too_many_reports", "这个网络一小时内报告得太多了，请过一小时再来，或拨 12345。", retry_after=3600
        )


def _received(file: UploadedFile[Any], folder: Path) -> tuple[Path, str]:
    if (file.size or 0) > PHOTO_BYTES:
        raise TooLarge("photo_too_large", "照片不能超过 10 MB，请换一张小一点的。", field="photo")
    target = folder / "photo"
    with target.open("wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
    return target, file.name or "照片.jpg"


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def report_page(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show a report beside what is known of its place, and take the answer."""
    scope = scope_for(request)
    check_duty(scope, "facilities.edit")
    row = report_seen(report_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            rows = settle_report(
                pk=row.pk,
                seen=typed(request, "seen"),
                state=typed(request, "state"),
                answer=typed(request, "answer"),
                together=typed(request, "together") == "1",
                scope=scope,
            )
        except CityError as refused:
            fault = refused
            row.refresh_from_db()
        else:
            more = f"，连同这家的另外 {len(rows) - 1} 条" if len(rows) > 1 else ""
            said.success(request, f"已改为“{rows[0].get_state_display()}”{more}。")
            return redirect("desk-place-report", row.pk)
    steps = STEPS[ReportState(row.state)]
    context = {
        "report": row,
        "others": list(waiting_at(row.facility_id, scope=scope).exclude(pk=row.pk)[:50]),
        "known": known_of(facility_detail(row.facility_id, scope=scope)),
        "steps": [(state.value, state.label) for state in steps],
        "ends": any(state in ENDS for state in steps),
        "late": row.state in {ReportState.NEW, ReportState.SEEN} and row.due_on < city_now().date(),
        "answer": typed(request, "answer") if fault else "",
        "fault": fault,
        "most": MOST_WORDS,
    }
    return render(request, "desk/place_report.html", context, status=status_of(fault) if fault else 200)
