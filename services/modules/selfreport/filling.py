"""Writes of who fills in: the form is opened by its link, kept as a draft on any device, given photos, and handed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, NotFound
from geo.scope import Scope
from services.kernel.documents.actions import attach_file, remove_attachment
from services.kernel.documents.models import Attachment
from services.modules.selfreport.applying import Unfinished, filled, rehearse
from services.modules.selfreport.links import check_open, recognise
from services.modules.selfreport.models import WITH_INSTITUTION, ReportState, SelfReport
from services.modules.selfreport.queries import KIND, PHOTO, photos_of
from services.modules.selfreport.sheet import MOST_TYPED, items_of, read_answers, said_by


def open_report(*, token: str, digits: str) -> SelfReport:
    """Let in who knows the last digits of the number, and return the report with what its place says by now.

    Raises what ``links.recognise`` raises.
    """
    found = recognise(token=token, digits=digits)
    with transaction.atomic():
        report = _locked(found.pk)
        if report.state in WITH_INSTITUTION:
            report.opened_at = report.opened_at or timezone.now()
            if report.state == ReportState.SENT:
                report.state = ReportState.FILLING
                if report.facility_id is None:
                    report.answers = {"name": report.name}
            if (base := _base_now(report)) != report.base:
                report.base, report.version = base, report.version + 1
            report.save()
    return report


def typed_into(report: SelfReport, posted: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed into the items of a report's form, no longer than a form takes."""
    return {
        item.key: " ".join(posted.get(item.key, "").replace("\x00", "").split())[: MOST_TYPED + 1]
        for item in items_of(report.kind)
    }


@transaction.atomic
def save_draft(*, report: SelfReport, typed: Mapping[str, str], seen: int) -> SelfReport:
    """Keep what was typed, whatever it is, and return the report. ``seen`` is the version that was shown.

    The same sent twice changes nothing. Raises ``Conflict`` when the form was saved elsewhere meanwhile, with the texts kept
    there by item in ``detail["others"]``, and when the report is not with the institution any more.
    """
    kept = _locked(report.pk)
    _check_fillable(kept)
    answers = {key: text for key, text in typed.items() if text != kept.base.get(key, "")}
    if answers == kept.answers:
        return kept
    if seen != kept.version:
        raise Conflict(
            "form_changed",
            "这份填报在别的设备上改过。您刚填的都还在下面；别处填的写在旁边，核对以后再保存。",
            others=_differing(kept, typed),
        )
    kept.answers, kept.version = answers, kept.version + 1
    kept.base = _base_now(kept)
    kept.save(update_fields=["answers", "base", "version"])
    return kept


@transaction.atomic
def hand_in(*, report: SelfReport, seen: int) -> SelfReport:
    """Hand a report in for review, and return it; one that is in already stays as it is.

    Raises ``Unfinished`` with words by item, ``BadInput`` for what a place cannot be, ``Conflict`` when it was saved elsewhere.
    """
    kept = _locked(report.pk)
    if kept.state == ReportState.SUBMITTED:
        return kept
    _check_fillable(kept)
    if seen != kept.version:
        raise Conflict("form_changed", "这份填报在别的设备上改过，请再看一遍预览，然后提交。")
    check_form(kept)
    rehearse(kept)
    kept.state, kept.submitted_at, kept.version = ReportState.SUBMITTED, timezone.now(), kept.version + 1
    kept.name = filled(kept)["name"] or kept.name
    kept.save(update_fields=["state", "submitted_at", "version", "name"])
    return kept


def check_form(report: SelfReport) -> None:
    """Raise ``Unfinished`` for a form that cannot be handed in as it is."""
    _, faults = read_answers(report.kind, filled(report))
    if faults:
        raise Unfinished(faults)


def add_photo(*, report: SelfReport, source: Path, name: str) -> Attachment:
    """Check a photo and keep it with a report. Raises ``BadInput`` or ``TooLarge`` for a file that is none, ``TooMany``."""
    _check_fillable(report)
    ours = Scope.system("a photo that comes with a self-report")
    return attach_file(kind=KIND, owner_id=str(report.pk), purpose=PHOTO, source=source, name=name, scope=ours).row


def remove_photo(*, report: SelfReport, photo_id: UUID) -> None:
    """Take a photo of a report off; twice changes nothing. Raises ``NotFound`` for a photo of another one."""
    _check_fillable(report)
    photo = Attachment.objects.filter(pk=photo_id, owner_kind=KIND, owner_id=str(report.pk)).first()
    if photo is None:
        raise NotFound("photo_unknown", "没有找到这张照片，请刷新页面再看。")
    if photo in photos_of(report):
        remove_attachment(attachment_id=photo_id, scope=Scope.system("a photo taken off a self-report"))


def _locked(pk: int) -> SelfReport:
    return SelfReport.objects.select_for_update(of=("self",)).select_related("facility").get(pk=pk)


def _check_fillable(report: SelfReport) -> None:
    check_open(report)
    if report.state not in WITH_INSTITUTION:
        raise Conflict("report_not_open", f"这份填报“{report.get_state_display()}”，不能再改。")


def _base_now(report: SelfReport) -> dict[str, str]:
    """Return what the place says now; of items that were changed here, what it said when they were."""
    if report.facility is None:
        return {}
    kept = {key: report.base[key] for key in report.answers if key in report.base}
    return {**said_by(report.facility), **kept}


def _differing(report: SelfReport, typed: Mapping[str, str]) -> dict[str, str]:
    """Return by item what is kept where it is other than what was typed."""
    here = filled(report)
    return {
        item.key: item.words(here.get(item.key, "")) or "没有填"
        for item in items_of(report.kind)
        if here.get(item.key, "") != typed.get(item.key, "")
    }
