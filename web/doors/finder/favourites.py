"""Favourites: mark and unmark a place from wherever it is shown, and the page on which they are kept; all without script."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages as said
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, Forbidden, TooMany
from services.access.models import User
from services.access.queries import scope_for
from services.facilities.kinds import every_kind
from services.facilities.queries import facility_detail
from services.modules.finder import favourites
from services.modules.finder.models import Act
from services.modules.finder.queries import Marked, marked_places, notes_of
from services.modules.finder.recommending.models import TraceAct
from services.modules.finder.words import MOST_NOTE
from web.api.errors import status_of
from web.context import elder_step
from web.doors.common.typed import number_typed, typed
from web.doors.finder.asking import read_ask
from web.doors.finder.cards import dialled
from web.doors.finder.shown import Row
from web.doors.finder.uses import is_use, note_place
from web.favourites import keep_on_device, marked_ids
from web.recommending import trace

FRAGMENT = "favourites"


@dataclass(frozen=True, slots=True)
class Line:
    """One favourite on its page; ``row`` is absent once the city no longer lists the place."""

    marked: Marked
    row: Row | None
    first: bool
    last: bool

    @property
    def phone(self) -> str:
        """Return the number to dial."""
        return dialled(self.marked.place.phone) if self.marked.place else ""


@never_cache
@require_safe
def saved(request: HttpRequest) -> HttpResponse:
    """Show the places the caller marked, by kind, with what changed since; ``undo`` names one that was just taken off."""
    user = request.user if isinstance(request.user, User) else None
    ids, scope = marked_ids(request), scope_for(request)
    found = marked_places(ids, scope=scope, notes=notes_of(user) if user else None)
    undo = number_typed(request, "undo")
    back = marked_places([undo], scope=scope) if undo and undo not in ids else []
    context = {
        "groups": _by_kind(request, found),
        "count": len(found),
        "unknown": len(ids) - len(found),
        "undo": back[0] if back else None,
        "most_note": MOST_NOTE,
        "signed": user is not None,
    }
    return render(request, "elder/saved.html" if elder_step(request) else "places/saved.html", context)


def _by_kind(request: HttpRequest, found: list[Marked]) -> list[tuple[str, list[Line]]]:
    """Return the favourites by kind, kinds in the order of the city, each in the order of the caller."""
    order = {kind.key: at for at, kind in enumerate(every_kind())}
    ask = read_ask(request.GET)
    grouped = []
    for _, rows in groupby(sorted(found, key=lambda one: order.get(one.kind, 99)), key=lambda one: one.kind):
        members = list(rows)
        lines = [
            Line(one, Row(one.place, ask.place_url(one.id)) if one.place else None, at == 0, at == len(members) - 1)
            for at, one in enumerate(members)
        ]
        grouped.append((members[0].kind_name, lines))
    return grouped


@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """Mark the place ``keep`` or unmark the place ``drop``; a script gets the ids, a form goes back to its page."""
    keep, drop = number_typed(request, "keep"), number_typed(request, "drop")
    try:
        if not keep and not drop:
            raise BadInput("place_missing", "没有说是哪一家，请从机构的页面再点一次。")
        ids = _marked(request, keep, drop)
        _note(request, keep, drop)
    except CityError as fault:
        if request.headers.get("X-Fragment") == FRAGMENT:
            return JsonResponse({"message": fault.message}, status=status_of(fault))
        raise
    response: HttpResponse
    if request.headers.get("X-Fragment") == FRAGMENT:
        response = JsonResponse({"ids": ids})
    else:
        target = _back(request)
        if drop and target.split("?")[0] == "/saved":
            target = f"/saved?undo={drop}"
        else:
            said.success(request, "已收藏。" if keep else "已取消收藏。")
        response = redirect(target)
    if not isinstance(request.user, User):
        keep_on_device(response, ids)
    return response


def _note(request: HttpRequest, keep: int, drop: int) -> None:
    """Count that a place was marked; that a mark was taken off is noted only of those who agreed."""
    if keep:
        note_place(request, Act.FAVOURITE, facility_detail(keep, scope=scope_for(request)).place)
    if drop and is_use(request):
        trace(request, TraceAct.UNFAVOURITE, place_id=drop)


def _marked(request: HttpRequest, keep: int, drop: int) -> list[int]:
    """Return the marked places after the change; of an account they are written, of a device they go into the answer."""
    scope = scope_for(request)
    if isinstance(request.user, User):
        if keep:
            favourites.keep_favourite(user=request.user, place_id=keep, scope=scope)
        if drop:
            favourites.drop_favourite(user=request.user, place_id=drop)
        request._quantu_marked = None  # type: ignore[attr-defined]
        return marked_ids(request)
    ids = [one for one in marked_ids(request) if one != drop]
    if keep and keep not in ids:
        facility_detail(keep, scope=scope)
        if len(ids) >= favourites.MOST:
            raise TooMany("favourites_full", f"最多收藏 {favourites.MOST} 家，请先取消几家。")
        ids.insert(0, keep)
    return ids


@require_POST
def arrange(request: HttpRequest) -> HttpResponse:
    """Move a favourite one up or down among those of its kind."""
    up, down = number_typed(request, "up"), number_typed(request, "down")
    ids = marked_ids(request)
    kinds = {one.id: one.kind for one in marked_places(ids, scope=scope_for(request))}
    order = favourites.moved(ids, kinds, up or down, up=bool(up))
    response = redirect(f"/saved#place-{up or down}")
    if isinstance(request.user, User):
        favourites.order_favourites(user=request.user, ids=order)
    else:
        keep_on_device(response, order)
    return response


@require_POST
def note(request: HttpRequest) -> HttpResponse:
    """Keep a note on a favourite of an account."""
    if not isinstance(request.user, User):
        raise Forbidden("sign_in_needed", "备注跟着账号走，请先登录。")
    place = number_typed(request, "place")
    try:
        favourites.note_favourite(user=request.user, place_id=place, text=typed(request, "note"))
    except CityError as fault:
        said.error(request, fault.message)
    else:
        said.success(request, "备注已保存，只有您自己看得到。")
    return redirect(f"/saved#place-{place}")


def _back(request: HttpRequest) -> str:
    target = typed(request, "next")
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside and target.startswith("/") else "/saved"
