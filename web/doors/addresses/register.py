"""The desk of addresses: search and list, one address with its map, form and history, and the acts of its keepers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.addresses.columns import PARTS
from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Act, AddressChange, AliasKind, PointSource
from geo.addresses.upkeep import actions
from geo.addresses.upkeep.authority import check_edit
from geo.addresses.upkeep.queries import address_detail
from geo.addresses.upkeep.snapshots import NAMES, Difference, differences
from geo.addresses.upkeep.statements import columns_of_text
from geo.addresses.upkeep.versions import version_of
from geo.errors import BadInput, CityError
from geo.scope import Scope
from services.access.queries import scope_for
from web.api.errors import status_of
from web.doors.common.desk_map import map_context

ALIAS_KINDS: Final = {AliasKind.SPELLING: "别的写法", AliasKind.OLD_NAME: "旧地名"}
SPLIT_ROWS: Final = 4


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Lead to the ledger of addresses, with what was asked of the list that stood here."""
    asked = [(key, request.GET[key]) for key in ("q", "region") if request.GET.get(key)]
    return redirect(f"{reverse('desk-ledger', args=['addresses'])}?{urlencode(asked)}")


@never_cache
@login_required
@require_safe
def read_text(request: HttpRequest) -> HttpResponse:
    """Return how the grammar reads a text, as a piece of the form: the preview beside what is typed."""
    check_edit(scope_for(request))
    return render(request, "desk/address_parts.html", _reading(request.GET.get("text", "")))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add_page(request: HttpRequest) -> HttpResponse:
    """Add a door: its writing, its point and why."""
    scope = scope_for(request)
    check_edit(scope)
    form = request.POST if request.method == "POST" else request.GET
    fault: CityError | None = None
    if request.method == "POST" and "preview" not in request.POST:
        try:
            stated = _stated(form, None)
            change = actions.add_address(stated=stated, scope=scope, reason=form.get("reason", ""))
        except CityError as refused:
            fault = refused
        else:
            messages.success(request, "已补录。现在就能查到；导入新数据后仍然有效。")
            return redirect("desk-address", change.addresses[0])
    context = {"tab_now": "list", "form": form, "fault": fault, **map_context(), **_reading(form.get("text", ""))}
    return render(request, "desk/address_add.html", context, status=_status(fault))


@never_cache
@login_required
@require_safe
def address_page(request: HttpRequest, address_id: int) -> HttpResponse:
    """Show one address: where it stands, how it is written, its aliases and everything people did to it."""
    return _address(request, address_id)


def _address(
    request: HttpRequest,
    address_id: int,
    *,
    form: QueryDict | None = None,
    fault: CityError | None = None,
    at: str = "",
) -> HttpResponse:
    detail = address_detail(address_id, scope=scope_for(request))
    address = detail.address
    region = names_of(published_now()).region(address.region_id)
    said = {name: getattr(address, name) for name in PARTS}
    own = {**said, "lon": f"{address.geom.x:.7f}", "lat": f"{address.geom.y:.7f}"}
    filled = {**own, "uncertainty_m": f"{address.uncertainty_m:g}", "version": version_of(address)}
    text = form.get("text", "") if form else ""
    context = {
        "tab_now": "list",
        "address": address,
        "detail": detail,
        "region": region,
        "point_source": PointSource(address.point_source).label,
        "own": own,
        "form": {**filled, **(form.dict() if form else {})},
        "parts": [(name, NAMES[name]) for name in PARTS],
        "history": [_told(change, address_id) for change in detail.changes],
        "alias_kinds": ALIAS_KINDS,
        "split_rows": range(1, SPLIT_ROWS + 1),
        "fault": fault,
        "fault_at": at,
        **map_context(),
        **_reading(text),
    }
    return render(request, "desk/address.html", context, status=_status(fault))


@never_cache
@login_required
@require_POST
def act_on(request: HttpRequest, address_id: int, act: str) -> HttpResponse:
    """Do one act to an address; what is refused is said beside the form, which keeps what was typed."""
    form = request.POST
    if act == "correct" and "preview" in form:
        return _address(request, address_id, form=form, at=act)
    try:
        change, said = ACTS[act](address_id, form, scope_for(request))
    except CityError as fault:
        return _address(request, address_id, form=form, fault=fault, at=act)
    messages.success(request, said)
    if act == "split":
        return redirect(f"{reverse('desk-ledger', args=['addresses'])}?{urlencode({'q': form.get('normal', '')})}")
    return redirect("desk-address", change.addresses[0] if act == "retire" else address_id)


@never_cache
@login_required
@require_POST
def undo(request: HttpRequest, address_id: int, change_id: int) -> HttpResponse:
    """Take back one change, from the history of one of its addresses."""
    try:
        actions.undo_change(change_id=change_id, scope=scope_for(request))
    except CityError as fault:
        return _address(request, address_id, fault=fault, at="history")
    messages.success(request, "已撤销，恢复成改动以前的样子。")
    return redirect("desk-address", address_id)


Done = tuple[AddressChange, str]


def _correct(address_id: int, form: QueryDict, scope: Scope) -> Done:
    own = address_detail(address_id, scope=scope).address
    before = {name: getattr(own, name) for name in PARTS}
    stated = _stated(form, {**before, "lon": f"{own.geom.x:.7f}", "lat": f"{own.geom.y:.7f}"})
    if form.get("uncertainty_m", "").strip() == f"{own.uncertainty_m:g}":
        stated.pop("uncertainty_m", None)
    change = actions.correct_address(
        address_id=address_id,
        changes=stated,
        scope=scope,
        reason=form.get("reason", ""),
        version=form.get("version") or None,
    )
    return change, "已更正，马上生效；导入新数据后仍然有效。改错了可以在下面的记录里撤销。"


def _alias(address_id: int, form: QueryDict, scope: Scope) -> Done:
    change = actions.alias_address(
        address_id=address_id,
        text=form.get("alias", ""),
        kind=form.get("kind", ""),
        from_day=form.get("from_day", ""),
        to_day=form.get("to_day", ""),
        scope=scope,
        reason=form.get("reason", ""),
        version=form.get("version") or None,
    )
    return change, "已添加别名，按这个写法也能查到了。"


def _merge(address_id: int, form: QueryDict, scope: Scope) -> Done:
    numbers = form.get("merged", "").replace("，", " ").replace(",", " ").replace("、", " ").split()
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in numbers):
        raise BadInput("merge_invalid", "请填要并入的地址的编号，几个之间用空格或逗号分开。", field="merged")
    change = actions.merge_addresses(
        survivor_id=address_id,
        merged_ids=[int(each) for each in numbers],
        scope=scope,
        reason=form.get("reason", ""),
        versions={address_id: form.get("version", "")},
    )
    return change, f"已并入 {len(change.addresses) - 1} 个地址，查它们时给出这一个。"


def _split(address_id: int, form: QueryDict, scope: Scope) -> Done:
    rows = zip(form.getlist("into_text"), form.getlist("into_lon"), form.getlist("into_lat"), strict=False)
    into = [{"text": text.strip(), **_point({"lon": lon, "lat": lat})} for text, lon, lat in rows if text.strip()]
    change = actions.split_address(
        address_id=address_id,
        into=into,
        scope=scope,
        reason=form.get("reason", ""),
        version=form.get("version") or None,
    )
    return change, f"已拆成 {len(into)} 个地址，原来的停用，查它时给出拆成的这几个。"


def _retire(address_id: int, form: QueryDict, scope: Scope) -> Done:
    change = actions.retire_address(
        address_id=address_id, scope=scope, reason=form.get("reason", ""), version=form.get("version") or None
    )
    return change, "已停用，地图和搜索里不再出现。停错了可以在下面的记录里撤销。"


ACTS: Final[dict[str, Callable[[int, QueryDict, Scope], Done]]] = {
    "correct": _correct,
    "alias": _alias,
    "merge": _merge,
    "split": _split,
    "retire": _retire,
}


def _stated(typed: QueryDict, own: Mapping[str, str] | None) -> dict[str, Any]:
    """Return what a form states beyond what an address says already: a text, or single parts; a point; a radius."""
    form = {name: str(value) for name, value in typed.items()}
    stated: dict[str, Any] = {}
    if form.get("text", "").strip():
        stated["text"] = form["text"].strip()
    elif own is not None:
        stated |= {name: form[name].strip() for name in PARTS if name in form and form[name].strip() != own[name]}
    if own is None or any(form.get(name, "").strip() != own[name] for name in ("lon", "lat")):
        stated |= _point(form)
    if form.get("uncertainty_m", "").strip():
        stated["uncertainty_m"] = _number(form["uncertainty_m"], "误差半径")
    return stated


def _point(form: Mapping[str, Any]) -> dict[str, float]:
    written = {name: str(form.get(name, "")).strip() for name in ("lon", "lat")}
    if not any(written.values()):
        return {}
    return {"lon": _number(written["lon"], "经度"), "lat": _number(written["lat"], "纬度")}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput("number_invalid", f"{name}要填数字，例如 121.4737。") from None


def _reading(text: str) -> dict[str, Any]:
    """Return how a text is read, for the preview; nothing for no text."""
    if not text.strip():
        return {}
    try:
        columns = columns_of_text(text)
    except BadInput as fault:
        return {"unread": fault.message}
    return {"read": [(NAMES[name], columns[name]) for name in PARTS if columns[name]], "normal": columns["normal"]}


@dataclass(frozen=True, slots=True)
class Told:
    """One change as the history shows it."""

    change: AddressChange
    title: str
    differences: list[Difference]
    others: list[int]
    undone: bool
    may_undo: bool


def _told(change: AddressChange, address_id: int) -> Told:
    key = str(address_id)
    undone = hasattr(change, "undone_by")
    return Told(
        change=change,
        title=Act(change.act).label,
        differences=differences(change.before.get(key), change.after.get(key)),
        others=[pk for pk in change.addresses if pk != address_id],
        undone=undone,
        may_undo=not undone and change.act != Act.UNDO,
    )


def _status(fault: CityError | None) -> int:
    return status_of(fault) if fault else 200
