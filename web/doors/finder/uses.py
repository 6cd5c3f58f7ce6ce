"""What pages tell the counter of the finder, the beacon of calls and navigation, and the figures for staff as a table."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final, get_args
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import BadInput, Forbidden
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for
from services.facilities.filters import Filters
from services.facilities.places import Place
from services.facilities.queries import NO_FILTERS, facility_detail
from services.modules.finder import counting
from services.modules.finder.models import Act
from services.modules.finder.recommending.models import TraceAct
from web.api.limits import CallerLimit
from web.recommending import trace, worded

TEST_HEADER: Final = "X-Quantu-Test"
"""A check of the platform that is no use of it says so by this header."""
BOTS: Final = re.compile(r"(?i)bot\b|spider|crawl|slurp|curl/|wget/|python-|httpx|monitor|preview")
BEACONS: Final = CallerLimit("uses", anonymous=60, keyed=60)
TOLD: Final = "不公布"


def is_use(request: HttpRequest) -> bool:
    """Say whether somebody uses the finder: no robot, no page fetched ahead, no check of our own."""
    ahead = "prefetch" in request.headers.get("Sec-Purpose", "") or "prefetch" in request.headers.get("Purpose", "")
    return not (ahead or TEST_HEADER in request.headers or BOTS.search(request.headers.get("User-Agent", "")))


def note_place(request: HttpRequest, act: Act, place: Place) -> None:
    """Count that a place was opened, looked at, marked, called or navigated to, in the street where it stands."""
    if is_use(request):
        counting.count_use(act, region_id=counting.street_of(place.region.id if place.region else None))
        trace(request, TraceAct(act), place_id=place.id)


def note_page(request: HttpRequest, act: Act) -> None:
    """Count that the page on which one searches, or the filters of a list, were seen."""
    if is_use(request):
        counting.count_use(act, region_id=None)
        trace(request, TraceAct(act))


def note_list(request: HttpRequest, shown: Sequence[int], recommended: Sequence[int] = ()) -> None:
    """Note which places a list showed to somebody who agreed, and which of them were recommended; in counts it is a search."""
    if is_use(request):
        trace(request, TraceAct.LIST, shown=shown, recommended=recommended)


def note_search(
    request: HttpRequest,
    near: tuple[float, float] | None,
    parts: Iterable[str],
    *,
    code: str = "",
    filters: Filters = NO_FILTERS,
) -> None:
    """Count a search with its filters: where it asked about, else in the street where it began; the position is dropped.

    ``filters`` are what somebody who agreed is remembered to have set.
    """
    if not is_use(request):
        return
    asked = names_of(published_now()).by_code.get(code)
    region_id = asked.id if asked else counting.street_at(*near) if near else None
    counting.count_use(Act.SEARCH, region_id=region_id, filters=parts)
    if set_filters := worded(filters):
        trace(request, TraceAct.NARROW, filters=set_filters)


@csrf_exempt  # a beacon carries no token; it only adds one to a count, and only from our own pages
@never_cache
@require_POST
def used(request: HttpRequest, place_id: int) -> HttpResponse:
    """Count an opening from a list, a call or a navigation that a page of ours reports while its link does what it does."""
    _check_ours(request)
    act = request.POST.get("act", "")
    if act not in (Act.CLICK, Act.CALL, Act.NAVIGATE):
        raise BadInput("act_unknown", "只计点开（click）、打电话（call）和导航（navigate）。", parameter="act")
    BEACONS.allow_request(request)
    note_place(request, Act(act), facility_detail(place_id, scope=Scope.public()).place)
    return HttpResponse(status=204)


@csrf_exempt  # as above
@never_cache
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Count that the filters of a list came into sight, which only the page knows: on a telephone they are folded away."""
    _check_ours(request)
    if request.POST.get("page", "") != Act.FILTERS:
        raise BadInput("page_unknown", "只计看到查询条件（filters）。", parameter="page")
    BEACONS.allow_request(request)
    note_page(request, Act.FILTERS)
    return HttpResponse(status=204)


def _check_ours(request: HttpRequest) -> None:
    """Raise ``Forbidden`` for a beacon that comes from no page of ours."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    if site != "same-origin" and not (site is None and origin == request.get_host()):
        raise Forbidden("not_from_here", "只接受本站页面的计数。")


@never_cache
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the figures of the finder's use as CSV, by ``by``, from the day ``since`` to the day ``until``, both included.

    Unless other days are asked for, of the last month that is over.
    """
    scope = scope_for(request)
    ended = timezone.localdate().replace(day=1) - dt.timedelta(days=1)
    since = _day(request.GET.get("since"), ended.replace(day=1))
    until = _day(request.GET.get("until"), ended)
    by = next((one for one in get_args(counting.By) if one == request.GET.get("by", "street")), None)
    if by is None:
        raise BadInput("by_unknown", f"by 可选：{'、'.join(get_args(counting.By))}。", parameter="by")
    found = counting.uses(
        scope=scope,
        since=_begin(since),
        until=_begin(until + dt.timedelta(days=1)),
        by=by,
        act=request.GET.get("act", ""),
        filter_key=request.GET.get("filter", ""),
    )
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["代码", "名称", "次数"])
    rows.writerows([one.key, one.label, TOLD if one.count is None else one.count] for one in found)
    told = {"ledger": "finder-uses", "by": by, "since": str(since), "until": str(until), "rows": len(found)}
    record_audit(act=AuditAct.LEDGER_EXPORTED, request=request, detail=told)
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="uses-{since}-{until}.csv"'
    return response


def _day(said: str | None, usual: dt.date) -> dt.date:
    if not said:
        return usual
    try:
        return dt.date.fromisoformat(said)
    except ValueError:
        raise BadInput("day_invalid", "日期要写成 2026-11-01 这样的形式。") from None


def _begin(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
