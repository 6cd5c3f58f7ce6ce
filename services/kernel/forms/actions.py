"""Writes of what people fill in: begin, keep a draft, hand in, ask for more, move to the form's new version.

Nothing is lost: a draft keeps what was typed also where it cannot be read yet, a second click changes nothing, and who
saves names the version they saw.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.queries import region_by_code, within
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import check_duty
from services.crypto.actions import drop_secrets, keep_secrets
from services.crypto.identifiers import new_id
from services.crypto.models import Secret
from services.kernel.documents.models import LIVE, Attachment
from services.kernel.forms.answering import Checked, link
from services.kernel.forms.answering.reading import Wrong, clean_text, is_blank
from services.kernel.forms.answering.sealing import part_answers
from services.kernel.forms.judging import judge, judge_whole
from services.kernel.forms.library.queries import VIEW
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import Submission, SubmissionRound, SubmissionState
from services.kernel.forms.queries import (
    FILL,
    OWNER_KIND,
    REVEAL,
    ended_on,
    form_of,
    last_day,
    may_fill,
    secrets_of_round,
    submission,
    submissions_seen,
    whole_answers,
)
from services.kernel.forms.registry import entry_named, form_named
from services.kernel.forms.signals import handed_in
from services.kernel.forms.spec import Form
from services.kernel.forms.versions.actions import ensure_city_version
from services.kernel.forms.versions.queries import version_for

MOST_DRAFTS: Final = 20
LONGEST_KEPT: Final = 2_000
CHANGED: Final = "这份表单在别处刚改过（可能是另一台设备）。下面是最新内容，请核对后再填。"
_SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A submission after an act, and what was wrong with its answers, if anything."""

    row: Submission
    checked: Checked


@transaction.atomic
def begin_submission(
    *, form: str, entry: str, region: str, scope: Scope, account: User | None, id: uuid.UUID | None = None
) -> Submission:
    """Begin a draft of a form for an entry in a region (code), and return it; the same ``id`` again is the same draft.

    ``account`` is whose it is; None for a clerk who fills in for somebody. Raises ``Forbidden``, ``Conflict``, ``BadInput``.
    """
    spec = form_named(form)
    entry_named(spec, entry)
    if spec.duty:
        check_duty(scope, spec.duty)
    if account is None:
        check_duty(scope, FILL)
    if id is not None and (known := Submission.objects.filter(pk=id).first()) is not None:
        return submission(known.pk, scope=scope)
    place = region_by_code(region, scope=scope)
    if account is None and not scope.covers_path(place.path):
        raise Forbidden("region_outside_scope", "这个区不在您的管辖范围内，不能代填。")
    drafts = Submission.objects.filter(account=account, made_by=scope.actor, state=SubmissionState.DRAFT)
    if drafts.count() >= MOST_DRAFTS:
        raise Conflict("drafts_many", f"您已有 {MOST_DRAFTS} 份没交的草稿。请先提交或删除不用的，再新填。")
    version = version_for(form=form, entry=entry, region_id=place.region_id) or ensure_city_version(
        form=form, entry=entry
    )
    return Submission.objects.create(
        id=id or new_id(), form=form, entry=entry, form_version=version, region_id=place.region_id, account=account,
        made_by=scope.actor,
    )  # fmt: skip


@transaction.atomic
def save_draft(
    *, submission_id: uuid.UUID | str, answers: Mapping[str, Any], seen: int, scope: Scope,
    sources: Mapping[str, Any] | None = None,
) -> Outcome:  # fmt: skip
    """Keep what was typed so far; answers of items that do not appear are not kept. Raises ``Conflict`` for a stale ``seen``."""
    row = _locked(submission_id, seen, scope)
    form = form_of(row)
    return _keep(row, form, _whole(row, form, answers), sources)


@transaction.atomic
def submit(*, submission_id: uuid.UUID | str, answers: Mapping[str, Any] | None, seen: int, scope: Scope) -> Outcome:
    """Hand a submission in, with answers typed last or as they are kept; with faults it stays a draft that keeps them.

    Handed in already, it is returned as it is: a second click changes nothing. Raises ``Conflict`` for a stale ``seen``,
    and when the version it is bound to may no longer be handed in.
    """
    done = submission(submission_id, scope=scope)
    if done.state == SubmissionState.SUBMITTED:
        return Outcome(done, judge(form_of(done), whole_answers(done), done))
    row = _locked(submission_id, seen, scope)
    form = form_of(row)
    whole = whole_answers(row, form) if answers is None else _whole(row, form, answers)
    kept = _keep(row, form, whole, None)
    checked = judge_whole(form, kept.checked.answers if kept.checked.good else whole, row, scope=scope)
    if not checked.good:
        return Outcome(row, checked)
    _check_open(row)
    now = timezone.now()
    row.state, row.submitted_at, row.asked = SubmissionState.SUBMITTED, now, []
    row.number = row.number or new_number(form_named(row.form).number_prefix, timezone.localdate(now))
    row.version += 1
    row.save()
    number = _keep_round(row, scope)
    handed_in.send(sender=Submission, submission=row, scope=scope, number=number)
    return Outcome(row, checked)


@transaction.atomic
def reopen_for_supplement(
    *, submission_id: uuid.UUID | str, fields: Collection[str], certificates: Collection[str], why: str, scope: Scope
) -> Submission:
    """Let the one who filled it in change the named fields and certificates, and nothing else; what was handed in is kept.

    Raises ``BadInput`` where nothing is named or the form has no such item, ``Conflict`` for one that is not handed in.
    """
    check_duty(scope, VIEW)
    row = Submission.objects.select_for_update().filter(within(scope), pk=submission_id).first()
    if row is None or row.state == SubmissionState.DRAFT:
        raise NotFound("submission_unknown", "没有找到这份表单，可能不在您的管辖范围内。")
    if row.state != SubmissionState.SUBMITTED:
        raise Conflict("supplement_open", "这份表单已在等对方补正。")
    form = form_of(row)
    asked = [item.key for item in form.items() if item.key in {*fields, *certificates}]
    if not asked or len(asked) != len({*fields, *certificates}):
        raise BadInput("supplement_items", "请勾选表单里要补正的内容。")
    if not why.strip():
        raise BadInput("supplement_why", "请写明要补正什么，对方会看到。")
    # what does not appear now may come to appear by another answer, and must then be answered
    shown = link(form, whole_answers(row, form), timezone.localdate()).shown
    asked += [item.key for item in form.items() if item.key not in shown and item.key not in asked]
    row.state, row.asked, row.asked_why = SubmissionState.SUPPLEMENT, asked, why.strip()[:300]
    row.version += 1
    row.save()
    return row


@transaction.atomic
def end_supplement(*, submission_id: uuid.UUID | str) -> None:
    """Take a submission as it was last handed in: what was to be supplemented came another way, or is not wanted any more."""
    row = Submission.objects.select_for_update().filter(pk=submission_id, state=SubmissionState.SUPPLEMENT).first()
    if row is None:
        return
    last = row.rounds.first()
    row.state, row.asked, row.asked_why, row.answers = SubmissionState.SUBMITTED, [], "", last.answers
    row.version += 1
    row.save()
    drop_secrets(owner=row.pk)
    values = secrets_of_round(last)
    keep_secrets(owner=row.pk, values=values, found_by={path: _index_of(path) for path in values})


@transaction.atomic
def move_to_current(*, submission_id: uuid.UUID | str, seen: int, scope: Scope) -> Submission:
    """Bind a draft to the version that counts now; answers of fields it no longer asks stay behind in nothing but the
    draft's past.

    Raises ``Conflict`` for one that is not a draft, or whose version still counts.
    """
    row = _locked(submission_id, seen, scope)
    if row.state != SubmissionState.DRAFT or ended_on(row) is None:
        raise Conflict("version_current", "这份表单用的就是现在的版本。")
    whole = whole_answers(row)
    row.form_version = version_for(form=row.form, entry=row.entry, region_id=row.region_id) or ensure_city_version(
        form=row.form, entry=row.entry
    )
    form = form_of(row)
    return _keep(row, form, {key: value for key, value in whole.items() if form.question(key)}, None).row


@transaction.atomic
def discard_submission(*, submission_id: uuid.UUID | str, scope: Scope) -> None:
    """Throw one's own draft away, with its secrets and its files."""
    row = submissions_seen(scope=scope).select_for_update(of=("self",)).filter(pk=submission_id).first()
    if row is None or row.state != SubmissionState.DRAFT or not may_fill(row, scope):
        raise NotFound("submission_unknown", "没有找到这份草稿。")
    drop_secrets(owner=row.pk)
    Attachment.objects.filter(LIVE, owner_kind=OWNER_KIND, owner_id=str(row.pk)).update(
        removed_at=timezone.now(), removed_by=scope.actor
    )
    row.delete()


def reveal_answer(*, submission_id: uuid.UUID | str, key: str, scope: Scope, request: Any = None) -> Any:
    """Return one sensitive answer in plain to those who hold ``forms.reveal``, and write down who looked."""
    check_duty(scope, REVEAL)
    row = submission(submission_id, scope=scope)
    if form_of(row).question(key) is None:
        raise NotFound("answer_unknown", "表单里没有这一项。")
    record_audit(act=AuditAct.ANSWER_REVEALED, actor=scope.actor, request=request,
                 detail={"submission": str(row.pk), "field": key[:60]})  # fmt: skip
    return whole_answers(row).get(key)


def new_number(prefix: str, day: dt.date) -> str:
    """Return a number for a receipt: readable, and with 40 bits of chance that nobody guesses."""
    return f"{prefix}{day:%y%m%d}-" + "".join(secrets.choice(_SIGNS) for _ in range(8))


def _locked(submission_id: uuid.UUID | str, seen: int, scope: Scope) -> Submission:
    known = submission(submission_id, scope=scope)
    row = Submission.objects.select_for_update(of=("self",)).select_related("form_version", "account").get(pk=known.pk)
    if not may_fill(row, scope):
        raise Conflict("submission_closed", "这份表单已经提交，不能再改。需要改动请联系受理单位。")
    if row.version != seen:
        raise Conflict("submission_changed", CHANGED, version=row.version)
    return row


def _whole(row: Submission, form: Form, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be kept: what was typed, or, while something is supplemented, what was typed of the items asked for."""
    if row.state != SubmissionState.SUPPLEMENT:
        return dict(typed)
    before = whole_answers(row, form)
    asked = {key: value for key, value in typed.items() if key in row.asked}
    return {**{key: value for key, value in before.items() if key not in row.asked}, **asked}


def _keep(row: Submission, form: Form, typed: Mapping[str, Any], sources: Mapping[str, Any] | None) -> Outcome:
    known = CityKnown()
    fitting = {key: value for key, value in typed.items() if form.question(key) is not None}
    checked = judge(form, fitting, row, known)
    read = set(checked.answers)
    unread = {
        key: kept
        for key, value in fitting.items()
        if key in checked.linked.shown and key not in read and (kept := _as_typed(value)) is not None
    }
    plain, sealed = part_answers(form, {**checked.answers, **unread})
    row.answers = plain
    if sources:
        row.sources = {**row.sources, **sources}
    row.sources = {key: one for key, one in row.sources.items() if key in plain or key in sealed}
    row.version += 1
    row.save()
    drop_secrets(owner=row.pk)
    keep_secrets(owner=row.pk, values=sealed, found_by={path: _index_of(path) for path in sealed})
    return Outcome(row, checked)


def _as_typed(value: Any) -> Any:
    """Return something that could not be read, as a draft keeps it: short plain text, or rows of it."""
    if isinstance(value, str):
        try:
            return clean_text(value[:LONGEST_KEPT], LONGEST_KEPT)
        except Wrong:
            return None
    if isinstance(value, list):
        rows = [
            {str(key)[:40]: _as_typed(one) for key, one in row.items() if not is_blank(one)}
            for row in value[:20]
            if isinstance(row, dict)
        ]
        return rows or [text for one in value[:100] if isinstance(one, str) and (text := _as_typed(one))] or None
    return value if isinstance(value, bool | int) and abs(value) < 10**15 else None


def _index_of(path: str) -> str:
    """Return the field under which equal sealed answers are looked for: of a row, its column."""
    key, _, rest = path.partition(".")
    return f"{key}.{rest.partition('.')[2]}" if rest else key


def _check_open(row: Submission) -> None:
    last = last_day(row) if row.state == SubmissionState.DRAFT else None
    if last is not None and timezone.localdate() > last:
        raise Conflict(
            "form_replaced",
            f"这张表已换成新版，原版到 {last.isoformat()} 为止可以提交。您填的都还在：请点“换到新版”，核对后再提交。",
        )


def _keep_round(row: Submission, scope: Scope) -> int:
    sealed = dict(Secret.objects.filter(owner=row.pk).values_list("field", "ciphertext"))
    files = Attachment.objects.filter(LIVE, owner_kind=OWNER_KIND, owner_id=str(row.pk)).order_by("uploaded_at")
    number = int(row.rounds.count()) + 1
    SubmissionRound.objects.create(
        submission=row, number=number, answers=row.answers, sealed=sealed,
        files=[{**one, "pk": str(one["pk"])} for one in files.values("pk", "purpose", "name")],
        by=scope.actor,
    )  # fmt: skip
    return number
