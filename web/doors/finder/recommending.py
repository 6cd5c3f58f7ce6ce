"""The pages on which somebody agrees to recommendations, says what he looks for, sees why a place is among them, and ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.contrib import messages as said
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.addresses.gazetteer import NamedRegion, names_of, published_now
from geo.errors import BadInput, CityError, Conflict, NotFound
from services.access.models import User
from services.access.personal.actions import give_consent, withdraw_consent
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.facilities.kinds import kinds_named
from services.facilities.queries import facility_detail
from services.modules.finder.recommending.actions import STALE, forget_device, keep_wishes, want_again
from services.modules.finder.recommending.models import TraceAct
from services.modules.finder.recommending.people import PURPOSE, TEXTS, VERSION, Person
from services.modules.finder.recommending.queries import (
    dismissed_places,
    home_named,
    homes_matching,
    recommended,
)
from services.modules.finder.recommending.wishes import (
    CHILD,
    NEEDS,
    NOTHING_STATED,
    SIDE_NAMES,
    SIDES,
    Wishes,
    read_wishes,
    side_of,
)
from web.api.errors import status_of
from web.context import elder_step
from web.doors.common.typed import number_typed, typed
from web.doors.finder.asking import read_ask
from web.doors.finder.recommended import suggested
from web.doors.finder.uses import is_use
from web.recommending import (
    Device,
    agreed,
    city_recommends,
    device_of,
    forget_on_device,
    keep_on_device,
    person_of,
    trace,
)

HOME: Final = "/my/recommending"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed for one side and could not be kept, with what is wrong and the homes it may mean."""

    side: str
    values: dict[str, Any]
    fault: CityError
    homes: list[NamedRegion] = field(default_factory=list)


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Say what recommending does; let somebody agree, state what he looks for, and take it back."""
    return _page(request)


def _page(request: HttpRequest, wrong: Typed | None = None) -> HttpResponse:
    person = agreed(request)
    context = {
        "on": city_recommends(request),
        "text": TEXTS[-1],
        "version": VERSION,
        "person": person,
        "signed": isinstance(request.user, User),
        "sides": [_side(side, person, wrong) for side in _in_order(request)] if person else [],
        "dismissed": dismissed_places(person, scope=scope_for(request)) if person else [],
        "month": f"{timezone.localdate():%Y-%m}",
    }
    return render(request, "my/recommending.html", context, status=status_of(wrong.fault) if wrong else 200)


def _in_order(request: HttpRequest) -> list[str]:
    """Return the sides, the elder's first for who reads 长辈版."""
    return sorted(SIDES, key=lambda side: (side == CHILD) == bool(elder_step(request)))


def _side(side: str, person: Person, wrong: Typed | None) -> dict[str, Any]:
    """Return what the form of one side shows: what is stated, or what was just typed."""
    wishes = person.wishes_for(side)
    home = names_of(published_now()).by_code.get(wishes.region)
    ours = wrong if wrong and wrong.side == side else None
    values = {
        "home": home.full_name if home else "", "region": wishes.region, "born": wishes.born,
        "fee_least": wishes.fee_least, "fee_most": wishes.fee_most, "needs": wishes.needs,
    }  # fmt: skip
    return {
        "key": side,
        "name": SIDE_NAMES[side],
        "child": side == CHILD,
        "needs": NEEDS[side],
        "values": ours.values if ours else values,
        "fault": ours.fault if ours else None,
        "wrong": ours.fault.detail.get("field", "") if ours else "",
        "homes": ours.homes if ours else [],
        "list_url": f"/places?kinds={SIDES[side][0]}&order=recommended",
        "stated": wishes != NOTHING_STATED,
    }


@require_POST
def agree(request: HttpRequest) -> HttpResponse:
    """Agree to the text that was shown: on the account, or on this device."""
    response = redirect(_back(request))
    try:
        if not city_recommends(request):
            raise Conflict("recommending_off", "本市现在没有开启机构推荐，开启后再来。")
        if number_typed(request, "version") != VERSION:
            raise Conflict("consent_text_new", "说明刚刚更新，请看过新的说明再决定。")
        if isinstance(request.user, User):
            give_consent(user=request.user, purpose=PURPOSE, version=VERSION, request=request)
        elif device_of(request) is None:
            keep_on_device(response, Device(new_id()))
    except Conflict as fault:
        said.error(request, fault.message)
        return response
    said.success(request, "已开启为您推荐。写下您要找的，会更合适。")
    return response


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take it back: what was kept for it is deleted at once."""
    response = redirect(HOME)
    if isinstance(request.user, User):
        withdraw_consent(user=request.user, purpose=PURPOSE, request=request)
    elif device := device_of(request):
        forget_device(device.id)
        forget_on_device(response)
    said.success(request, "已关闭，为推荐保存的内容都删除了。")
    return response


@never_cache
@require_POST
def state(request: HttpRequest, side: str) -> HttpResponse:
    """Keep what is stated for a child or an elder; what cannot be read is shown again with what is wrong."""
    if side not in SIDES:
        raise NotFound("side_unknown", "没有这一项，请回到“为您推荐”再填。")
    values: dict[str, Any] = {
        name: typed(request, name)[:100] for name in ("home", "region", "born", "fee_least", "fee_most")
    }
    values["needs"] = [one.replace("\x00", "") for one in request.POST.getlist("needs")][:20]
    homes: list[NamedRegion] = []
    try:
        values["region"], homes = _home(request, values)
        wishes = read_wishes(
            side, region=values["region"], born=values["born"], fee_least=values["fee_least"],
            fee_most=values["fee_most"], needs=values["needs"], today=timezone.localdate(),
        )  # fmt: skip
        if homes:
            raise BadInput("home_several", f"有 {len(homes)} 个地方符合，请选一个，再保存。", field="home")
        return _kept(request, side, wishes)
    except CityError as fault:
        return _page(request, Typed(side, values, fault, homes))


def _home(request: HttpRequest, values: dict[str, Any]) -> tuple[str, list[NamedRegion]]:
    """Return the code of the home that was chosen or can only be meant, else '' and those it may mean."""
    words, scope = values["home"].strip(), scope_for(request)
    chosen = typed(request, "choose")
    if chosen:
        return home_named(chosen, scope=scope).code, []
    if not words:
        return "", []
    names = names_of(published_now()).by_code
    kept = names.get(values["region"])
    if kept is not None and words == kept.full_name:
        return kept.code, []
    found = homes_matching(words, scope=scope)
    exact = [one for one in found if one.name == words]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0].code, []
    if not found:
        raise BadInput("home_unknown", f"没有叫“{words[:20]}”的街镇或居委，请换个写法，不用写门牌。", field="home")
    return "", [names[one.code] for one in found]


def _kept(request: HttpRequest, side: str, wishes: Wishes) -> HttpResponse:
    seen = number_typed(request, "seen")
    response = redirect(f"{HOME}#{side}")
    if isinstance(request.user, User):
        keep_wishes(user=request.user, side=side, wishes=wishes, seen=seen)
    else:
        device = device_of(request)
        if device is None:
            raise Conflict(
                "consent_missing", "这台设备还没有开启为您推荐，或者刚刚关闭了。请先看过说明，点“同意并开启”。"
            )
        if device.revision != seen:
            raise Conflict("wishes_changed", STALE)
        keep_on_device(response, replace(device, wishes={**device.wishes, side: wishes}, revision=device.revision + 1))
    said.success(request, "已保存。推荐按这些重新排了。")
    return response


@never_cache
@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Say of one place why it is recommended: every part of its points, and what does not count."""
    person, scope = person_of(request), scope_for(request)
    ask = read_ask(request.GET)
    detail = facility_detail(number_typed(request, "place"), scope=scope)
    kinds = _kinds(typed(request, "kinds"), detail.place.kind)
    near = (ask.origin.lon, ask.origin.lat) if ask.origin else None
    found = recommended(scope=scope, kinds=kinds, person=person, near=near, among=[detail.place.id], most=1)
    context = {
        "ask": ask,
        "place": detail.place,
        "row": suggested(found[0], ask, ask.kinds).row if found else None,
        "one": found[0] if found else None,
        "person": person,
        "on": city_recommends(request),
        "home": near is None,
    }
    return render(request, "my/recommending_why.html", context)


def _kinds(words: str, kind: str) -> tuple[str, ...]:
    """Return the kinds a place was recommended among; its own where the address names none it belongs to."""
    try:
        kinds = kinds_named(words)
    except BadInput:
        kinds = ()
    return kinds if kind in kinds and side_of(kinds) else (kind,)


@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Recommend a place no more to who agreed, or (``again``) recommend it again."""
    person = person_of(request)
    if person is None:
        said.error(request, "您还没有开启为您推荐，这里没有可关的。")
        return redirect(HOME)
    again = number_typed(request, "again")
    if again:
        want_again(person, place_id=again)
        said.success(request, "以后可能再推荐这家。")
        return redirect(HOME)
    place = facility_detail(number_typed(request, "place"), scope=scope_for(request)).place
    if is_use(request):
        trace(request, TraceAct.DISMISS, place_id=place.id)
    said.success(request, f"不再推荐“{place.name}”。想恢复，到“我的 · 为您推荐”。")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    target = typed(request, "next")
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside and target.startswith("/") else HOME


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain recommending to families and staff."""
    return render(request, "help/recommending.html")
