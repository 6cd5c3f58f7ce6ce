"""The desk of places: one form by the kind's entries to add and to correct, its preview, the check of where it stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError, Conflict
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.facilities.kinds import GROUPS, kind_of, kinds_of_group, known_kind
from services.facilities.kinds.declared import Kind
from services.facilities.known import known_of
from services.facilities.models import Facility, FacilityStatus
from services.facilities.upkeep.actions import Refused, add_facility, edit_facility
from services.facilities.upkeep.drafting import draft_of, drafts_of, drop_draft, keep_draft
from services.facilities.upkeep.findings import Finding
from services.facilities.upkeep.models import FacilityChange
from services.facilities.upkeep.position import Stated, look_at
from services.facilities.upkeep.queries import as_it_will_be, place_kept, regions_of, regions_offered
from services.facilities.upkeep.recording import EDIT, version_of
from services.facilities.upkeep.typed import WHERE, Entry, changed, entries_of, texts_of, values_of
from services.modules.finder.correcting import correct_reported
from services.modules.finder.models import PlaceReport
from services.modules.finder.queries import report_seen, waiting_at
from services.modules.finder.words import MOST_WORDS
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.finder.asking import read_ask
from web.doors.finder.cards import make_card
from web.doors.finder.one_place import photos_of, sections_of
from web.doors.finder.shown import Row

MOST_BASE: Final = 40_000
"""Characters of what the form held when it was opened, which comes back with it."""
STARTS: Final = (FacilityStatus.OPEN, FacilityStatus.PREPARING)
SAVED: Final = "已保存，马上生效；以后导入数据也不会改回去。改错了可以在下面撤销。"
ADDED: Final = "已新增，找服务和地图上马上能看到。填错了可以在下面撤销。"


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as the form shows it: what it holds, what is wrong with it, and what somebody else made of it meanwhile."""

    entry: Entry
    text: str
    faults: tuple[str, ...] = ()
    theirs: bool = False
    locked: bool = False

    @property
    def id(self) -> str:
        """Return a name that is no trouble in an address or a selector."""
        return self.entry.name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Form:
    """A form on its way: what is typed, what it held when it was opened, and of which version of the place."""

    facility: Facility | None
    kind: Kind
    typed: Mapping[str, str]
    base: Mapping[str, str]
    version: str
    key: UUID
    report: PlaceReport | None = None


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Ask for the kind, then for everything its places say; nothing is added before it was submitted."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    draft = _draft(request)
    wanted = typed(request, "kind_id") or (draft.typed.get("kind_id", "") if draft else "")
    kind = known_kind(wanted) if wanted else None
    if kind is None or kind.retired:
        groups = [(name, kinds_of_group(key)) for key, name in GROUPS.items() if kinds_of_group(key)]
        drafts = [(one, kind_of(one.typed.get("kind_id", "")).name) for one in _drafts(request, None)]
        return render(request, "desk/place_kinds.html", {"groups": groups, "drafts": drafts})
    texts = (
        dict(draft.typed) if draft else {"kind_id": kind.key, "status": FacilityStatus.OPEN.value, **_tapped(request)}
    )
    return _answer(request, Form(None, kind, texts, {}, "", draft.pk if draft else new_id()), scope)


def _tapped(request: HttpRequest) -> dict[str, str]:
    """Return the point of a map that the address brings along, where somebody tapped to add a place."""
    said = {name: typed(request, name)[:24] for name in ("lon", "lat")}
    return said if all(said.values()) else {}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def edit_page(request: HttpRequest, facility_id: int) -> HttpResponse:
    """Show what a place says with its point on the map, and take what is changed; a report that is named stands beside it."""
    scope = scope_for(request)
    facility = place_kept(facility_id, scope=scope)
    if facility.retired_at is not None:
        return redirect("desk-place-history", facility_id)
    number = number_typed(request, "report")
    report = report_seen(number, scope=scope) if number else None
    if report is not None and report.facility_id != facility_id:
        report = None
    draft = _draft(request)
    if draft is not None and draft.facility_id == facility_id:
        form = Form(facility, kind_of(facility.kind_id), draft.typed, draft.base, draft.version, draft.pk, report)
    else:
        texts = _texts(facility)
        form = Form(facility, kind_of(facility.kind_id), texts, texts, version_of(facility), new_id(), report)
    return _answer(request, form, scope)


@login_required
@require_POST
def drop_page(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Throw a draft of the caller away."""
    drop_draft(draft_id=draft_id, user_id=_user(request).pk)
    messages.success(request, "已删除草稿。")
    return redirect(_back(number_typed(request, "place")))


@never_cache
@login_required
@require_safe
def check_position(request: HttpRequest) -> JsonResponse:
    """Say where a point lies and what speaks against it, for the form while somebody types or drags."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    written = [typed(request, name).strip() for name in ("lon", "lat")]
    try:
        lon, lat = (float(text) for text in written) if all(written) else (None, None)
    except ValueError:
        lon = lat = float("nan")
    stated = Stated(
        lon=lon,
        lat=lat,
        address=typed(request, "address_text")[:300],
        district=typed(request, "district"),
        street=typed(request, "street"),
        kind=typed(request, "kind_id"),
        name=typed(request, "name")[:120],
        facility_id=number_typed(request, "place"),
    )
    spot = look_at(stated, scope=scope)
    door = spot.door
    return JsonResponse(
        {
            "district": spot.district.code if spot.district else "",
            "street": spot.street.code if spot.street else "",
            "said": spot.street.full_name if spot.street else spot.district.full_name if spot.district else "",
            "door": {"lon": round(door.lon, 7), "lat": round(door.lat, 7), "label": door.label} if door else None,
            "findings": [
                {"field": one.field, "message": one.message, "blocks": one.blocks, "place": one.place}
                for one in spot.findings
            ],
        }
    )


def _answer(request: HttpRequest, form: Form, scope: Scope) -> HttpResponse:
    if request.method == "GET":
        return _show(request, form, scope)
    form = _posted(request, form)
    step = typed(request, "step", "save")
    if step == "draft":
        _keep(request, form)
        messages.success(request, "已存为草稿，只有您看得到；提交以前什么都没有改。")
        return redirect(f"{_back(form.facility.pk if form.facility else 0)}?draft={form.key}")
    if step == "back":
        return _show(request, form, scope)
    names = changed(form.typed, form.base)
    values, unread = values_of(form.typed, names, form.kind)
    if unread:
        return _show(request, form, scope, Refused(unread))
    try:
        if step == "preview":
            return _preview(request, form, values, scope)
        change = _write(request, form, values, scope)
    except CityError as fault:
        return _refused(request, form, scope, fault)
    drop_draft(draft_id=form.key, user_id=_user(request).pk)
    messages.success(request, SAVED if form.facility else ADDED)
    if form.report is not None:
        return redirect("desk-place-report", form.report.pk)
    return redirect("desk-place-history", change.facilities[0])


def _write(request: HttpRequest, form: Form, values: Mapping[str, Any], scope: Scope) -> FacilityChange:
    why, reason = typed(request, "why"), typed(request, "reason")
    if form.facility is None:
        return add_facility(values=values, key=form.key, scope=scope, reason=reason, why=why)
    changes: dict[str, Any] = {
        "changes": values,
        "key": form.key,
        "version": form.version,
        "reason": reason,
        "why": why,
    }
    if form.report is not None and typed(request, "settle") == "1":
        return correct_reported(
            report_id=form.report.pk,
            seen=typed(request, "seen"),
            answer=typed(request, "answer"),
            together=typed(request, "together") == "1",
            facility_id=form.facility.pk,
            scope=scope,
            **changes,
        )
    return edit_facility(facility_id=form.facility.pk, scope=scope, **changes)


def _preview(request: HttpRequest, form: Form, values: Mapping[str, Any], scope: Scope) -> HttpResponse:
    """Show the public page as it would be; whatever would be refused is refused here already, and nothing is written."""
    with transaction.atomic():
        tried = _write(request, form, values, scope)
        row = Facility.objects.select_related("organisation").get(pk=tried.facilities[0])
        transaction.set_rollback(True)
    detail = as_it_will_be(row, known=form.facility is not None)
    card = make_card(request, detail, Row(detail.place, ""), read_ask({}))
    context = {
        "card": card,
        "ask": read_ask({}),
        "sections": sections_of(known_of(detail)),
        "photos": photos_of(card) if form.facility else [],
        "hidden": {**form.typed, **_carried(request, form)},
        "facility": form.facility,
        "action": request.get_full_path(),
    }
    _keep(request, form)
    return render(request, "desk/place_preview.html", context)


def _refused(request: HttpRequest, form: Form, scope: Scope, fault: CityError) -> HttpResponse:
    """Show the form again with what is wrong; where somebody else was quicker, over what the place says now."""
    if not (isinstance(fault, Conflict) and fault.code == "facility_changed" and form.facility is not None):
        return _show(request, form, scope, fault)
    now = place_kept(form.facility.pk, scope=scope)
    texts = _texts(now)
    mine = changed(form.typed, form.base)
    form = replace(form, facility=now, typed={**texts, **mine}, base=texts, version=version_of(now))
    return _show(request, form, scope, fault)


def _show(request: HttpRequest, form: Form, scope: Scope, fault: CityError | None = None) -> HttpResponse:
    findings = fault.findings if isinstance(fault, Refused) else []
    place = form.facility
    others = waiting_at(place.pk, scope=scope).exclude(pk=form.report.pk).count() if place and form.report else 0
    context = {
        "facility": place,
        "kind": form.kind,
        "groups": _groups(form, findings, fault, may_edit=scope.holds(EDIT)),
        "texts": form.typed,
        "carried": _carried(request, form),
        "regions": regions_offered(scope),
        "where": regions_of(place) if place else (None, None),
        "starts": [(one.value, one.label) for one in STARTS],
        "fault": fault,
        "asks_why": any(not each.blocks for each in findings) or bool(typed(request, "why")),
        "findings": findings,
        "may_edit": scope.holds(EDIT),
        "drafts": _drafts(request, place) if request.method == "GET" and "draft" not in request.GET else [],
        "report": form.report,
        "others": others,
        "answer": typed(request, "answer"),
        "most": MOST_WORDS,
        "why": typed(request, "why"),
        "reason": typed(request, "reason"),
        "spot": {"lon": form.typed.get("lon", ""), "lat": form.typed.get("lat", "")} if place else None,
        "action": request.get_full_path(),
        "tab_now": "edit",
        **map_context(),
    }
    return render(request, "desk/place_form.html", context, status=status_of(fault) if fault else 200)


def _groups(
    form: Form, findings: list[Finding], fault: CityError | None, *, may_edit: bool
) -> list[tuple[str, list[Shown]]]:
    """Return the entries of the form by group, each with what is wrong with it."""
    theirs = set(fault.detail.get("fields", ())) if isinstance(fault, Conflict) else set()
    at = {} if fault is None or findings else {str(fault.detail.get("field", "")): (fault.message,)}
    said = {each.field: tuple(one.message for one in findings if one.field == each.field) for each in findings} | at
    groups: dict[str, list[Shown]] = {}
    for entry in entries_of(form.kind):
        whole = entry.name.partition(".")[0] if entry.name.startswith("hours") else entry.name
        groups.setdefault(entry.group, []).append(
            Shown(
                entry,
                form.typed.get(entry.name, ""),
                said.get(entry.name, ()),
                theirs=entry.name in theirs or whole in theirs,
                locked=not may_edit and not entry.own,
            )
        )
    where = tuple(one.message for one in findings if one.field in WHERE)
    groups["位置"].append(Shown(Entry("lon", "位置"), form.typed.get("lon", ""), where, "position" in theirs))
    return list(groups.items())


def _carried(request: HttpRequest, form: Form) -> dict[str, str]:
    """Return what comes back with the form besides what is typed."""
    kept = {name: typed(request, name) for name in ("why", "reason", "answer", "settle", "together")}
    own = {"key": str(form.key), "version": form.version, "base": json.dumps(dict(form.base), ensure_ascii=False)}
    report = {"report": str(form.report.pk), "seen": form.report.state} if form.report else {}
    return own | report | (kept if request.method == "POST" else {})


def _posted(request: HttpRequest, form: Form) -> Form:
    names = [entry.name for entry in entries_of(form.kind)] + [*WHERE, "status"]
    texts = {name: typed(request, name)[:400] for name in names if name in request.POST}
    if form.facility is not None:
        texts.pop("status", None)
    wanted = known_kind(texts.get("kind_id", ""))
    kind = wanted if wanted is not None and wanted.group == form.kind.group else form.kind
    return replace(
        form, kind=kind, typed=texts, base=_base(request) if form.facility else {}, version=typed(request, "version"),
        key=key_typed(request),
    )  # fmt: skip


def _base(request: HttpRequest) -> dict[str, str]:
    try:
        found = json.loads(typed(request, "base")[:MOST_BASE].replace("\\u0000", ""))
    except ValueError:
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _texts(facility: Facility) -> dict[str, str]:
    district, street = regions_of(facility)
    return texts_of(facility, district=district.code if district else "", street=street.code if street else "")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _drafts(request: HttpRequest, facility: Facility | None) -> list[Any]:
    return drafts_of(user_id=_user(request).pk, facility_id=facility.pk if facility else None)


def _draft(request: HttpRequest) -> Any:
    try:
        return draft_of(draft_id=UUID(request.GET["draft"]), user_id=_user(request).pk)
    except (KeyError, ValueError):
        return None


def _keep(request: HttpRequest, form: Form) -> None:
    keep_draft(
        draft_id=form.key,
        user_id=_user(request).pk,
        facility_id=form.facility.pk if form.facility else None,
        typed=form.typed,
        base=form.base,
        version=form.version,
    )


def _back(facility_id: int) -> str:
    return reverse("desk-place-edit", args=[facility_id]) if facility_id else reverse("desk-place-new")
