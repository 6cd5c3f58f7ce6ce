"""Writes of the advisers: what approved applications enter or change, and the records of work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict
from geo.regions.models import RegionVersion
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.queries import check_duty
from services.crypto.actions import keep_secrets
from services.crypto.masking import mask_identity, mask_phone, mask_text
from services.facilities.keeping import keep_facility
from services.facilities.models import Facility
from services.kernel.forms.models import Submission
from services.kernel.workflow.models import Case
from services.kernel.workflow.transitions import State
from services.modules.advisers.models import SITE_KIND, Adviser, Post, RecordState, WorkRecord
from services.modules.advisers.staffing import judge_site, judge_sites, post_on
from services.modules.advisers.words import TOPICS

_SITE_FIELDS: Final = {
    "adviser_site_name": "name",
    "adviser_site_address": "address_text",
    "adviser_site_phone": "phone",
    "adviser_status": "status",
    "adviser_level": "attributes__adviser_level",
    "adviser_opened_on": "attributes__opened_on",
}
_SEALED: Final = {"adviser_phone": ("phone", mask_phone), "adviser_identity": ("identity", mask_identity)}
_CHANGED_SINCE: Final = (
    "{what}在这份申请提交以后已经变更过（{day}）。请退回补正，让申请人核对现在的内容后重新提交；不再需要的请不予通过。"
)


def enter_site(*, case: Case, answers: Mapping[str, Any], scope: Scope) -> Facility | None:
    """Put an approved point on the map, in the street that was applied in."""
    if case.state != State.APPROVED:
        return None
    site = keep_facility(
        values={"kind_id": SITE_KIND, **_site_values(answers)},
        inside=_street(case),
        mark=f"case-{case.number}",
        reason=_because(case),
        scope=scope,
        organisation_id=case.organisation_id,
    )
    judge_site(site_id=site.pk)
    return site


def change_site(*, case: Case, answers: Mapping[str, Any], scope: Scope) -> Facility | None:
    """Change what an approved application names of a point. Raises ``Conflict`` where it changed since that was handed in."""
    if case.state != State.APPROVED:
        return None
    site = Facility.objects.select_for_update(of=("self",)).filter(pk=answers["adviser_site"], retired_at=None).first()
    if site is None:
        raise Conflict("site_gone", "这个顾问点已经撤销，不能再变更。请不予通过。")
    _check_unchanged(case, site.name, site.updated_at)
    changed = keep_facility(
        facility_id=site.pk, values=_said_anew(site, answers), inside=_street(case), mark=f"case-{case.number}",
        reason=_because(case), scope=scope,
    )  # fmt: skip
    judge_site(site_id=changed.pk)
    return changed


def enter_adviser(*, case: Case, answers: Mapping[str, Any], scope: Scope) -> Adviser | None:
    """Enter an approved adviser at a point."""
    if case.state != State.APPROVED:
        return None
    site = _site_in(case, answers["adviser_site"])
    if Adviser.objects.filter(certificate=answers["adviser_certificate"]).exists():
        raise Conflict(
            "certificate_taken", "已有顾问员用这个证书编号登记。请核对证书；调动的请走“养老顾问员变更申请”。"
        )
    begins, ends = _day(answers["adviser_from"]), _last_day(answers)
    adviser = Adviser(
        site=site, name=answers["adviser_name"], engaged=answers["adviser_engaged"],
        certificate=answers["adviser_certificate"], certified_on=_day(answers["adviser_certified_on"]), from_day=begins,
        to_day=ends, post=post_on(timezone.localdate(), from_day=begins, to_day=ends), case_number=case.number,
    )  # fmt: skip
    _seal(adviser, answers)
    adviser.save()
    judge_site(site_id=site.pk)
    return adviser


def change_adviser(*, case: Case, answers: Mapping[str, Any], scope: Scope) -> Adviser | None:
    """Change what an approved application names of an adviser: moves, goes away, comes back, leaves.

    Raises ``Conflict`` where the adviser changed since it was handed in, or is of another street.
    """
    if case.state != State.APPROVED:
        return None
    adviser = (
        Adviser.objects.select_for_update(of=("self",))
        .select_related("site")
        .filter(certificate=answers["adviser_certificate"])
        .first()
    )
    if adviser is None or not _in_street(case, adviser.site):
        raise Conflict("adviser_unknown", "本街镇没有用这个证书编号登记的顾问员。请退回补正，核对证书编号。")
    _check_unchanged(case, adviser.name, adviser.updated_at)
    before = adviser.site_id
    if "adviser_site" in answers:
        adviser.site = _site_in(case, answers["adviser_site"])
    adviser.engaged = answers.get("adviser_engaged", adviser.engaged)
    adviser.to_day = _last_day(answers) or adviser.to_day
    adviser.post = _post_of(adviser, answers)
    _seal(adviser, answers)
    with pghistory.context(actor=scope.actor):
        adviser.save()
    judge_sites([before, adviser.site_id])
    return adviser


def _post_of(adviser: Adviser, answers: Mapping[str, Any]) -> str:
    today = timezone.localdate()
    wanted = answers.get("adviser_post")
    if wanted == Post.LEFT:
        adviser.to_day = adviser.to_day if adviser.to_day and adviser.to_day <= today else max(today, adviser.from_day)
        return Post.LEFT
    if wanted == Post.IN_POST and adviser.to_day and adviser.to_day < today:
        adviser.to_day = None  # came back
    by_days = post_on(today, from_day=adviser.from_day, to_day=adviser.to_day)
    return str(wanted or adviser.post) if by_days == Post.IN_POST else by_days


@transaction.atomic
def write_record(*, submission: Submission, answers: Mapping[str, Any], scope: Scope) -> WorkRecord:
    """Keep a record of work that was handed in; one that names an earlier record takes its place, or cancels it.

    Needs ``advisers.record`` over the point. Raises ``Conflict`` with what does not fit; what was typed stays a draft.
    """
    check_duty(scope, "advisers.record")
    old = _record_meant(answers.get("record_number", ""), scope)
    if old is not None:
        cancels = bool(answers.get("record_cancels"))
        old.state = RecordState.CANCELLED if cancels else RecordState.CORRECTED
        old.why = f"{mask_text(answers['record_why'])}（{scope.actor}）"[:300]
        old.save(update_fields=["state", "why"])
        if cancels:
            return old
    site = Facility.objects.filter(pk=answers["adviser_site"], kind=SITE_KIND, retired_at=None).first()
    if site is None or site.region_id is None or not covers_site(scope, site):
        raise Conflict("site_outside", "这个顾问点不在您的范围内，请从列出的顾问点里选。")
    return WorkRecord.objects.create(
        number=submission.number or "", adviser=_adviser_at(site, answers), site=site, region_id=site.region_id,
        on=_day(answers["record_on"]), way=answers["record_way"], topic=answers["record_topic"],
        age_band=answers["record_age"], minutes=answers["record_minutes"], summary=mask_text(answers["record_summary"]),
        result=answers["record_result"], instead_of=old, made_by=scope.actor,
    )  # fmt: skip


def _record_meant(number: str, scope: Scope) -> WorkRecord | None:
    if not number:
        return None
    old = WorkRecord.objects.select_for_update(of=("self",)).select_related("site").filter(number=number).first()
    if old is None or not covers_site(scope, old.site):
        raise Conflict("record_unknown", "没有找到要更正的记录，请从台账里核对编号。")
    if old.state != RecordState.VALID:
        raise Conflict("record_settled", f"这条记录{old.get_state_display()}，不能再改。请更正代替它的那一条。")
    return old


def _adviser_at(site: Facility, answers: Mapping[str, Any]) -> Adviser:
    on = _day(answers["record_on"])
    adviser = Adviser.objects.filter(site=site, certificate=answers["adviser_certificate"], from_day__lte=on).first()
    if adviser is None or (adviser.to_day is not None and adviser.to_day < on):
        raise Conflict("adviser_not_there", "那天这个顾问点没有用这个证书编号的顾问员，请核对顾问点、编号和日期。")
    return adviser


def _site_values(answers: Mapping[str, Any]) -> dict[str, Any]:
    values = {field: answers[key] for key, field in _SITE_FIELDS.items() if key in answers}
    if "adviser_topics" in answers:
        names = dict(TOPICS)
        values["attributes__advises_on"] = "、".join(names.get(code, code) for code in answers["adviser_topics"])
    return values


def _said_anew(site: Facility, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an application says otherwise than the point does: a form may repeat what stays."""
    now = {"name": site.name, "address_text": site.address_text, "phone": site.phone, "status": site.status}
    now |= {f"attributes__{key}": value for key, value in site.attributes.items()}
    return {field: value for field, value in _site_values(answers).items() if now.get(field) != value}


def _site_in(case: Case, site_id: int) -> Facility:
    """Return an open point of the street that was applied in, locked before its advisers change."""
    site = Facility.objects.select_for_update(of=("self",)).filter(pk=site_id, kind=SITE_KIND, retired_at=None).first()
    if site is None or not _in_street(case, site):
        raise Conflict("site_elsewhere", "这个顾问点不在申请的街镇里，或者已经撤销。请退回补正，重新选择顾问点。")
    return site


def _in_street(case: Case, site: Facility) -> bool:
    return site.region_id is not None and case.region_id in {
        each.region_id for each in path_of(site.region_id, scope=Scope.public())
    }


def covers_site(scope: Scope, site: Facility) -> bool:
    """Say whether a scope covers a point, by its region or by the institution that runs it."""
    if "" in scope.paths or site.organisation_id in scope.organisations:
        return True
    path = path_of(site.region_id, scope=Scope.public()) if site.region_id else []
    return bool(path) and scope.covers_path(path[-1].path)


def _street(case: Case) -> RegionVersion:
    return path_of(case.region_id, scope=Scope.public())[-1]


def _check_unchanged(case: Case, what: str, changed_at: dt.datetime) -> None:
    handed_in = Submission.objects.get(pk=case.submission or UUID(int=0)).submitted_at
    if handed_in is None or changed_at > handed_in:
        raise Conflict(
            "changed_since", _CHANGED_SINCE.format(what=what, day=f"{timezone.localtime(changed_at):%-m月%-d日 %H:%M}")
        )


def _seal(adviser: Adviser, answers: Mapping[str, Any]) -> None:
    given = {key: str(answers[key]) for key in _SEALED if answers.get(key)}
    for key, value in given.items():
        field, mask = _SEALED[key]
        setattr(adviser, field, mask(value))
    keep_secrets(
        owner=adviser.uid,
        values={_SEALED[key][0]: value for key, value in given.items()},
        found_by={_SEALED[key][0]: key for key in given},
    )


def _because(case: Case) -> str:
    return f"办件 {case.number} 审批通过"


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _last_day(answers: Mapping[str, Any]) -> dt.date | None:
    return _day(answers["adviser_to"]) if answers.get("adviser_to") else None
