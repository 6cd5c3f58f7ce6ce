"""Writes of who reviews: what a report changes, approving it, giving it back, and both for many at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, CityError, Conflict, TooLarge
from geo.kept import open_file
from geo.scope import Scope
from services.access.queries import check_duty
from services.crypto.actions import drop_secrets
from services.crypto.queries import reveal_secrets
from services.facilities.models import Facility
from services.kernel.documents.actions import attach_file
from services.kernel.documents.models import ScanState
from services.kernel.documents.store import path_of
from services.kernel.messages.actions import send_message
from services.modules.selfreport.applying import apply_report
from services.modules.selfreport.duties import MANAGE
from services.modules.selfreport.message_events import APPROVED, RETURNED
from services.modules.selfreport.models import ReportState, SelfReport
from services.modules.selfreport.queries import PHOTO, photos_of
from services.modules.selfreport.sending import PHONE, held, send_anew
from services.modules.selfreport.sheet import items_of, moved_metres, said_by

MOST_WORDS: Final = 300
MOST_AT_ONCE: Final = 100
Decision = Literal["approve", "return"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a report changes in one item; ``now`` is what somebody else made of it meanwhile, '' where nobody did."""

    key: str
    label: str
    section: str
    before: str
    after: str
    now: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report of many."""

    name: str
    done: bool
    words: str


def changes_of(report: SelfReport) -> list[Change]:
    """Return what a report changes, in the order of the form."""
    here = said_by(report.facility) if report.facility is not None else {}
    found = []
    for item in items_of(report.kind):
        after = report.answers.get(item.key, report.base.get(item.key, ""))
        before = report.base.get(item.key, "")
        if after == before:
            continue
        now = here.get(item.key, before)
        others = (item.words(now) or "没有填") if now not in (before, after) else ""
        words = item.words(after)
        if item.control == "point" and (metres := moved_metres(before, after)) is not None:
            words += f"，移动了 {metres:.0f} 米"
        found.append(Change(item.key, item.label, item.section, item.words(before), words, others))
    return found


@transaction.atomic
def approve_report(*, pk: int, seen: int, scope: Scope, over: bool = False, why: str = "") -> SelfReport:
    """Let the place say what the report says, publish its photos, tell the institution, forget its number; return the report.

    ``seen`` is the version that was looked at; approved twice it stays approved. ``over`` lets the report stand over what others
    changed meanwhile, ``why`` says why what does not fit may stand. Needs ``selfreport.manage`` and ``facilities.edit``. Raises
    ``Conflict``, and what writing the place raises.
    """
    report = held(pk, scope)
    if report.state == ReportState.APPROVED:
        return report
    _check_reviewed(report, seen)
    if report.facility_id is not None:
        Facility.objects.select_for_update().get(pk=report.facility_id)
    if not over and (others := [change for change in changes_of(report) if change.now]):
        named = "、".join(f"{change.label}（现在是“{change.now}”）" for change in others[:3])
        raise Conflict("place_changed", f"填报期间有人改过：{named}。请打开这一份，看过以后再决定。")
    facility = apply_report(report, scope=scope, why=why)
    _publish_photos(report, facility, scope)
    _tell_approved(report)
    drop_secrets(owner=report.uid)
    report.facility, report.region_id, report.words = facility, facility.region_id or report.region_id, ""
    _decided(report, ReportState.APPROVED, scope)
    return report


@transaction.atomic
def return_report(*, pk: int, seen: int, words: str, root: str, scope: Scope) -> SelfReport:
    """Give a report back with ``words`` that say what to change, by a short message with a new link; return the report.

    Needs ``selfreport.manage``. Raises ``BadInput`` without words, ``TooLarge``, and ``Conflict`` as ``approve_report`` does.
    """
    report = held(pk, scope)
    said = " ".join(words.split())
    if report.state == ReportState.RETURNED and report.words == said:
        return report
    _check_reviewed(report, seen)
    if not said:
        raise BadInput("words_empty", "退回请写一句要改什么，机构会收到。", field="words")
    if len(said) > MOST_WORDS:
        raise TooLarge("words_too_long", f"退回意见最多 {MOST_WORDS} 个字，请写短一点。", field="words")
    report.words, report.version = said, report.version + 1
    report.state, report.reviewed_by, report.reviewed_at = ReportState.RETURNED, scope.actor, timezone.now()
    send_anew(report, root, RETURNED, {"意见": said if said[-1] in "。！？" else f"{said}。"}, scope)
    return report


def review_many(*, seen: Mapping[int, int], decision: Decision, words: str, root: str, scope: Scope) -> list[Outcome]:
    """Approve or give back many reports, each by itself, and say what became of each; ``seen`` are their versions by id.

    What does not fit, or was changed meanwhile, stays in review with the words why. Raises ``TooLarge`` beyond 100.
    """
    check_duty(scope, MANAGE)
    if len(seen) > MOST_AT_ONCE:
        raise TooLarge("too_many_reports", f"一次最多审核 {MOST_AT_ONCE} 份，请分几次。", most=MOST_AT_ONCE)
    return [_reviewed(pk, version, decision, words, root, scope) for pk, version in seen.items()]


def _reviewed(pk: int, version: int, decision: Decision, words: str, root: str, scope: Scope) -> Outcome:
    try:
        if decision == "approve":
            report = approve_report(pk=pk, seen=version, scope=scope)
        else:
            report = return_report(pk=pk, seen=version, words=words, root=root, scope=scope)
    except CityError as refused:
        name = SelfReport.objects.filter(pk=pk).values_list("name", flat=True).first()
        return Outcome(
            name if refused.code != "self_report_unknown" and name else f"第 {pk} 份", False, refused.message
        )
    return Outcome(report.name, True, report.get_state_display())


def _check_reviewed(report: SelfReport, seen: int) -> None:
    if report.state != ReportState.SUBMITTED:
        raise Conflict("report_not_waiting", f"这份填报现在“{report.get_state_display()}”，不用审核。")
    if report.version != seen:
        raise Conflict("report_changed", "您打开以后，这份填报又有变化。请看过最新的内容再决定。")


def _decided(report: SelfReport, state: ReportState, scope: Scope) -> None:
    report.state, report.reviewed_by, report.reviewed_at = state, scope.actor, timezone.now()
    report.version += 1
    with pghistory.context(actor=scope.actor):
        report.save()


def _publish_photos(report: SelfReport, facility: Facility, scope: Scope) -> None:
    for photo in photos_of(report):
        if photo.state == ScanState.REFUSED:
            continue
        with tempfile.TemporaryDirectory() as folder, open_file(path_of(photo.sha256)) as content:
            copy = Path(folder) / "photo"
            copy.write_bytes(content.read())
            owner = str(facility.pk)
            attach_file(kind="facilities", owner_id=owner, purpose=PHOTO, source=copy, name=photo.name, scope=scope)


def _tell_approved(report: SelfReport) -> None:
    number = reveal_secrets(owner=report.uid, fields=[PHONE]).get(PHONE, "")
    if number and report.region_id is not None:
        send_message(
            event=APPROVED,
            key=f"{APPROVED}:{report.uid}",
            region_id=report.region_id,
            values={"机构": report.name},
            phones=[number],
            actor=report.made_by,
        )
