"""Writes of links: send them, send one anew, take one back, and forget numbers that are not needed any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.errors import BadInput, CityError, Conflict, NotFound, TooLarge
from geo.imports.models import CURRENT
from geo.regions.models import Level
from geo.regions.queries import versions_of
from geo.scope import Scope
from services.access.queries import check_duty
from services.crypto.actions import drop_secrets, keep_secrets
from services.crypto.masking import mask_phone
from services.crypto.queries import reveal_secrets
from services.facilities.kinds import all_kinds
from services.facilities.models import Facility
from services.facilities.queries import city_now, within_scope
from services.kernel.messages.actions import send_message
from services.kernel.messages.phones import normal_phone
from services.modules.selfreport.duties import MANAGE
from services.modules.selfreport.links import TRIES, token_of
from services.modules.selfreport.message_events import LINK
from services.modules.selfreport.models import OPEN, WITH_INSTITUTION, ReportState, SelfReport
from services.modules.selfreport.queries import report_seen

DAYS: Final = (7, 14, 30)
"""For how long a link may hold."""
MOST_AT_ONCE: Final = 200
PHONE: Final = "phone"
KEPT_AFTER: Final = dt.timedelta(days=30)
"""A number is forgotten so long after its link ran out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One link to send: of a place that is there, or by kind, name and code of the street or district of one that is new."""

    phone: str
    facility_id: int | None = None
    kind: str = ""
    name: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one link: ``report`` where it was sent, else the words why it was not."""

    name: str
    report: SelfReport | None = None
    fault: str = ""


def send_links(*, wanted: Sequence[Wanted], days: int, root: str, scope: Scope) -> list[Sent]:
    """Send links for self-report, each by itself, and say what became of each. Needs ``selfreport.manage``.

    ``root`` is the address of the house, such as ``https://quantu.example``. A place whose report is still open gets no second
    link: the first is told of. Raises ``BadInput`` and ``TooLarge``.
    """
    check_duty(scope, MANAGE)
    if days not in DAYS:
        raise BadInput("days_invalid", f"有效期请选 {'、'.join(map(str, DAYS))} 天。", field="days")
    if len(wanted) > MOST_AT_ONCE:
        raise TooLarge("too_many_links", f"一次最多发 {MOST_AT_ONCE} 条，请分几次发。", most=MOST_AT_ONCE)
    return [_sent(each, days, root, scope) for each in wanted]


def _sent(wanted: Wanted, days: int, root: str, scope: Scope) -> Sent:
    try:
        with transaction.atomic(), pghistory.context(actor=scope.actor):
            report = _begun(wanted, days, scope)
            _send(report, root, LINK, {})
    except CityError as refused:
        return Sent(_called(wanted), fault=refused.message)
    except IntegrityError:
        return Sent(_called(wanted), fault="刚刚有人给这家发过链接，请在“自主填报”台账里看。")
    return Sent(report.name, report)


def _begun(wanted: Wanted, days: int, scope: Scope) -> SelfReport:
    number = normal_phone(wanted.phone)
    now = timezone.now()
    report = _for_place(wanted.facility_id, scope) if wanted.facility_id else _for_new(wanted, scope)
    report.phone, report.days, report.made_by = mask_phone(number), days, scope.actor
    report.sent_at, report.expires_at, report.tries_left = now, now + dt.timedelta(days=days), TRIES
    report.save(force_insert=True)
    keep_secrets(owner=report.uid, values={PHONE: number}, found_by={PHONE: ""})
    return report


def _for_place(facility_id: int, scope: Scope) -> SelfReport:
    place = Facility.objects.filter(CURRENT, within_scope(scope), pk=facility_id).first()
    if place is None:
        raise NotFound("facility_unknown", "没有找到这家机构，或不在您的管辖范围内。")
    if place.region_id is None:
        raise Conflict("facility_nowhere", "这家机构的位置不在任何街镇里，请先改正位置。")
    _check_none_open(SelfReport.objects.filter(OPEN, facility=place))
    return SelfReport(facility=place, kind=place.kind_id, name=place.name, region_id=place.region_id)


def _for_new(wanted: Wanted, scope: Scope) -> SelfReport:
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= 120:
        raise BadInput("name_empty", "请填写机构名称，最多 120 个字。", field="name")
    if wanted.kind not in {kind.key for kind in all_kinds()}:
        raise BadInput("kind_unknown", "请选机构的类型。", field="kind")
    inside = (
        versions_of(scope=Scope.public()).filter(code=wanted.region, level__in=[Level.DISTRICT, Level.STREET]).first()
    )
    if inside is None or not ("" in scope.paths or scope.covers_path(inside.path)):
        raise BadInput("region_unknown", "请选一个您管辖范围内的街镇。", field="region")
    _check_none_open(
        SelfReport.objects.filter(OPEN, facility=None, kind=wanted.kind, name=name, region=inside.region_id)
    )
    return SelfReport(kind=wanted.kind, name=name, region_id=inside.region_id)


def _check_none_open(rows: object) -> None:
    known = rows.first()  # type: ignore[attr-defined]
    if known is not None:
        raise Conflict(
            "report_open",
            f"已经给 {known.phone} 发过链接，现在“{known.get_state_display()}”。需要的话在那一份里重发或撤销。",
        )


@transaction.atomic
def resend_link(*, pk: int, issue: int, root: str, scope: Scope) -> SelfReport:
    """Send the link of a report anew, to the same number and for as many days; the links before open nothing any more.

    ``issue`` is what the caller saw: pressed twice, one is sent. Needs ``selfreport.manage``. Raises ``NotFound``, ``Conflict``.
    """
    report = held(pk, scope)
    if report.state not in WITH_INSTITUTION:
        raise Conflict("report_not_open", f"这份填报“{report.get_state_display()}”，不用再发链接。")
    if report.issue != issue:
        return report
    send_anew(report, root, LINK, {}, scope)
    return report


@transaction.atomic
def revoke_link(*, pk: int, scope: Scope) -> SelfReport:
    """Take a link back: it opens nothing any more and its number is forgotten. Twice changes nothing."""
    report = held(pk, scope)
    if report.state == ReportState.REVOKED:
        return report
    if report.state not in WITH_INSTITUTION:
        raise Conflict("report_not_open", f"这份填报“{report.get_state_display()}”，不能撤销。")
    report.state, report.reviewed_by, report.reviewed_at = ReportState.REVOKED, scope.actor, timezone.now()
    with pghistory.context(actor=scope.actor):
        report.save()
    drop_secrets(owner=report.uid)
    return report


def held(pk: int, scope: Scope) -> SelfReport:
    """Return a report of the scope, locked. Needs ``selfreport.manage``. Raises ``NotFound``."""
    check_duty(scope, MANAGE)
    return SelfReport.objects.select_for_update().get(pk=report_seen(pk, scope=scope).pk)


def send_anew(report: SelfReport, root: str, event: str, values: dict[str, str], scope: Scope) -> None:
    """Send the next issue of a report's link with an event, and save the report."""
    now = timezone.now()
    report.issue += 1
    report.sent_at, report.expires_at, report.tries_left = now, now + dt.timedelta(days=report.days), TRIES
    with pghistory.context(actor=scope.actor):
        report.save()
    _send(report, root, event, values)


def _send(report: SelfReport, root: str, event: str, values: dict[str, str]) -> None:
    number = reveal_secrets(owner=report.uid, fields=[PHONE]).get(PHONE, "")
    if not number:
        raise Conflict("phone_forgotten", "这份填报的手机号已经删除，请撤销以后重新发一条。")
    day = report.expires_at.astimezone(city_now().tzinfo)
    send_message(
        event=event,
        key=f"{event}:{report.uid}:{report.issue}",
        region_id=report.region_id or 0,
        values={
            "机构": report.name,
            "链接": f"{root.rstrip('/')}/fill/{token_of(report)}",
            "截止": f"{day:%-m月%-d日}",
            **values,
        },
        phones=[number],
        actor=report.made_by,
    )


def forget_old_numbers(*, now: dt.datetime | None = None) -> int:
    """Forget the numbers of links that ran out thirty days ago, and return how many were kept until now."""
    before = (now or timezone.now()) - KEPT_AFTER
    rows = SelfReport.objects.filter(state__in=WITH_INSTITUTION, expires_at__lt=before)
    return sum(drop_secrets(owner=uid) for uid in rows.values_list("uid", flat=True).iterator())


def _called(wanted: Wanted) -> str:
    if wanted.facility_id:
        return Facility.objects.filter(pk=wanted.facility_id).values_list("name", flat=True).first() or "没有找到的机构"
    return wanted.name.strip()[:120] or "没有写名称的机构"
