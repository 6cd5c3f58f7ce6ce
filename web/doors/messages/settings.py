"""What a region chooses of messages on the desk: texts by entry with preview and versions, triggers and channels, quiet hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.integrations.sms.client import is_connected
from services.kernel.messages.actions import send_trial
from services.kernel.messages.choosing import ChosenText, channels_for, choice_row, preview, rule_for, text_for
from services.kernel.messages.configuring import (
    choose_event,
    region_to_configure,
    regions_to_configure,
    save_template,
    set_sending_rule,
    template_rows,
    template_versions,
    withdraw_template,
)
from services.kernel.messages.registry import choice_named, event_named, events
from services.kernel.messages.spec import CHANNELS, Channel, Event
from services.kernel.messages.texts import sms_length
from web.api.errors import status_of
from web.doors.common.typed import typed


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show every event with its channels, triggers and texts as they hold in a region, and the texts that districts wrote."""
    return _overview(request)


def _overview(request: HttpRequest, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    regions, region = _chosen(scope, typed(request, "region"))
    names = {each.region_id: each.name for each in versions_of(scope=scope).filter(level__in=("city", "district"))}
    rule = rule_for(region.region_id)
    context = {
        "regions": regions,
        "region": region,
        "rule": rule,
        "rule_from": names.get(rule.row.region_id, "") if rule.row else "系统默认",
        "events": [_event_shown(event, region, names) for event in events().values()],
        "written": [
            {"row": row, "event": events().get(row.event), "region": names.get(row.region_id, ""),
             "code": next((each.code for each in regions if each.region_id == row.region_id), ""),
             "entry": _entry_name(row.event, row.entry)}
            for row in template_rows(scope=scope)
        ],
        "connected": is_connected(),
        "fault": fault,
    }  # fmt: skip
    return render(request, "desk/message_settings.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def set_rule(request: HttpRequest) -> HttpResponse:
    """Set the quiet hours and the daily limit of a region."""

    def act() -> None:
        set_sending_rule(
            region=typed(request, "region"),
            quiet_from=_clock(typed(request, "quiet_from")),
            quiet_to=_clock(typed(request, "quiet_to")),
            daily_cap=_number(typed(request, "daily_cap")),
            scope=scope_for(request),
        )

    return _saved(request, act, "已保存发送时段和每日上限，对还没发出的短信马上生效。")


@login_required
@require_POST
def set_event(request: HttpRequest, event: str) -> HttpResponse:
    """Set when and by which channels a region tells of an event."""

    def act() -> None:
        choose_event(
            event=event,
            region=typed(request, "region"),
            channels=request.POST.getlist("channel"),
            triggers=request.POST.getlist("trigger"),
            scope=scope_for(request),
        )

    return _saved(request, act, f"已保存“{event_named(event).title}”的触发设置。")


def _saved(request: HttpRequest, act: Callable[[], None], done: str) -> HttpResponse:
    try:
        act()
    except BadInput as fault:
        return _overview(request, fault)
    said.success(request, done)
    return redirect(f"{reverse('desk-message-settings')}?region={request.POST.get('region', '')}")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def template(request: HttpRequest, event: str, channel: str) -> HttpResponse:
    """Show a region's text for an entry with preview and versions; preview, save, take back or try it out."""
    scope = scope_for(request)
    check_duty(scope, "messages.configure")
    declared = event_named(event)
    if channel not in declared.texts:
        raise NotFound("channel_unknown", f"“{declared.title}”没有这个渠道。")
    asked = request.POST if request.method == "POST" else request.GET
    _, region = _chosen(scope, asked.get("region", ""))
    entry = asked.get("entry", "")[:40]
    choice_named(declared.entries, entry)
    form = {"title": typed(request, "title")[:200], "body": typed(request, "body")[:4000]}
    act = typed(request, "act")
    fault = None
    if request.method == "POST" and act != "preview":
        try:
            done = _change(act, declared, cast(Channel, channel), region, entry, request, scope)
        except CityError as wrong:
            if isinstance(wrong, Forbidden):
                raise
            fault = wrong
        else:
            said.success(request, done)
            return redirect(f"{request.path}?region={region.code}&entry={entry}")
    return _template(request, declared, cast(Channel, channel), region, entry, form=form if act else None, fault=fault)


def _change(
    act: str, event: Event, channel: Channel, region: RegionVersion, entry: str, request: HttpRequest, scope: Scope
) -> str:
    place: dict[str, Any] = {
        "event": event.key,
        "channel": channel,
        "region": region.code,
        "entry": entry,
        "scope": scope,
    }
    seen = _number(typed(request, "seen", "0"))
    if act == "save":
        row = save_template(title=typed(request, "title"), body=typed(request, "body"), seen=seen, **place)
        return f"已保存为第 {row.number} 版，从下一条消息起使用。"
    if act == "withdraw":
        withdraw_template(seen=seen, **place)
        return "已停用这里的模板，改为沿用上级的内容。"
    if act == "trial" and channel == "sms":
        send_trial(event=event.key, region_id=region.region_id, entry=entry, phone=typed(request, "phone"), scope=scope)
        return (
            "试发短信已排入发送，可在“短信”里看结果。"
            if is_connected()
            else "短信平台未接通，试发短信先留存，接通后发出。"
        )
    raise BadInput("act_unknown", "请选择保存、预览或试发。")


def _template(
    request: HttpRequest, event: Event, channel: Channel, region: RegionVersion, entry: str,
    *, form: dict[str, str] | None, fault: CityError | None,
) -> HttpResponse:  # fmt: skip
    scope = scope_for(request)
    versions = template_versions(event.key, channel, region_id=region.region_id, entry=entry)
    holds = text_for(event, channel, region_id=region.region_id, entry=entry)
    shown = form or {"title": holds.text.title, "body": holds.text.body}
    seen = typed(request, "seen") if form else None
    sample = None
    try:
        sample = preview(event.key, channel, shown["title"], shown["body"])
    except BadInput as wrong:
        fault = fault or wrong
    regions = regions_to_configure(scope=scope)
    names = {each.region_id: each.name for each in versions_of(scope=scope).filter(level__in=("city", "district"))}
    context = {
        "event": event, "channel": channel, "channel_name": CHANNELS[channel], "region": region, "regions": regions,
        "entry": entry, "form": shown, "sample": sample,
        "length": sms_length(sample.body) if sample and channel == "sms" else None,
        "versions": versions, "seen": seen if seen is not None else (versions[0].number if versions else 0),
        "own": bool(versions and versions[0].active), "source": _source(holds, names, event), "fault": fault,
        "connected": is_connected(),
    }  # fmt: skip
    return render(request, "desk/message_template.html", context, status=status_of(fault) if fault else 200)


def _event_shown(event: Event, region: RegionVersion, names: dict[int, str]) -> dict[str, Any]:
    row = choice_row(event, region_id=region.region_id)
    used = channels_for(event, region_id=region.region_id)
    entries = [("", "全部入口" if event.entries else ""), *((each.key, each.name) for each in event.entries)]
    return {
        "event": event,
        "channels": [(key, CHANNELS[key], key in used) for key in event.texts],
        "triggers": [(each, row is None or each.key in row.triggers) for each in event.triggers],
        "chosen_by": names.get(row.region_id, "") if row else "系统默认",
        "texts": [
            {"channel": channel, "channel_name": CHANNELS[channel], "entry": key, "entry_name": name,
             "source": _source(text_for(event, channel, region_id=region.region_id, entry=key), names, event)}
            for channel in event.texts
            for key, name in entries
        ],
    }  # fmt: skip


def _source(chosen: ChosenText, names: dict[int, str], event: Event) -> str:
    if chosen.version is None:
        return "系统默认"
    entry = _entry_name(event.key, chosen.version.entry)
    return f"{names.get(chosen.version.region_id, '')} 第 {chosen.version.number} 版" + (
        f"（{entry}）" if entry else ""
    )


def _entry_name(event: str, entry: str) -> str:
    declared = events().get(event)
    return next((each.name for each in declared.entries if each.key == entry), "") if declared else entry


def _chosen(scope: Scope, code: str) -> tuple[list[RegionVersion], RegionVersion]:
    check_duty(scope, "messages.configure")
    regions = regions_to_configure(scope=scope)
    if code:
        return regions, region_to_configure(code, scope=scope)
    if not regions:
        raise Forbidden("region_outside_scope", "消息设置按市、区管理，您的管辖范围里没有可设置的区。")
    return regions, regions[0]


def _clock(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text[:5])
    except ValueError:
        raise BadInput("clock_invalid", "时刻要写成 21:00 的样子。") from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
