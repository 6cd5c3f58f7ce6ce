"""Reads of what people filled in: their submissions, answers masked or revealed, what conditions may read, and the whole
in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.queries import reveal_secrets
from services.crypto.sealing import unseal
from services.kernel.documents.models import LIVE, Attachment
from services.kernel.forms.answering import Known, link, linking
from services.kernel.forms.answering.sealing import join_answers
from services.kernel.forms.answering.words import masked, said
from services.kernel.forms.library.queries import VIEW
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import Submission, SubmissionRound, SubmissionState, VersionState
from services.kernel.forms.registry import form_named
from services.kernel.forms.spec import Form, Paper, Question
from services.kernel.forms.versions.queries import living_form, version_for

OWNER_KIND = "submission"
FILL, REVEAL = "forms.fill", "forms.reveal"


@dataclass(frozen=True, slots=True)
class Line:
    """One answer in words; ``source`` says where a prefilled one came from, ``revealable`` that it is shown in part only."""

    key: str
    label: str
    text: str
    source: str = ""
    revealable: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a submission in words; sections of which nothing appears are left out."""

    title: str
    lines: tuple[Line, ...]


def submissions_seen(*, scope: Scope) -> QuerySet[Submission]:
    """Return the submissions a scope may see: its own; and those of its regions that were handed in, for those who view forms."""
    own = Q(account__username=scope.actor) | Q(account=None, made_by=scope.actor)
    if not scope.holds(VIEW):
        return Submission.objects.filter(own)
    handed_in = within(scope) & ~Q(state=SubmissionState.DRAFT)
    return Submission.objects.filter(own | handed_in)


def submission(submission_id: uuid.UUID | str, *, scope: Scope) -> Submission:
    """Return one submission. Raises ``NotFound`` in the same words whether there is none or none for the caller."""
    missing = NotFound("submission_unknown", "没有找到这份表单，可能已删除，或不在您的名下。请从“我的表单”里打开。")
    try:
        mark = submission_id if isinstance(submission_id, uuid.UUID) else uuid.UUID(str(submission_id))
    except ValueError:
        raise missing from None
    row = submissions_seen(scope=scope).select_related("form_version", "account").filter(pk=mark).first()
    if row is None:
        raise missing
    return row


def submissions_of(user: User, *, form: str = "") -> QuerySet[Submission]:
    """Return the submissions of an account, the last changed first."""
    rows = Submission.objects.filter(account=user).select_related("form_version").order_by("-changed_at")
    return rows.filter(form=form) if form else rows


def submissions_handed_in(*, scope: Scope, form: str = "", text: str = "") -> QuerySet[Submission]:
    """Return what was handed in within the scope's regions, the newest first, by form and by number."""
    check_duty(scope, VIEW)
    rows = Submission.objects.filter(within(scope)).exclude(state=SubmissionState.DRAFT)
    if form:
        rows = rows.filter(form=form)
    if text.strip():
        rows = rows.filter(number__icontains=text.strip()[:24])
    return rows.order_by("-submitted_at", "-id")


def may_fill(row: Submission, scope: Scope) -> bool:
    """Say whether a scope may change the answers of a submission now."""
    own = row.account is not None and row.account.username == scope.actor
    for_somebody = row.account_id is None and row.made_by == scope.actor and scope.holds(FILL)
    return (own or for_somebody) and row.state != SubmissionState.SUBMITTED


def form_of(row: Submission) -> Form:
    """Return the form a submission is bound to, with its dictionaries as they are now."""
    return living_form(row.form_version)


def whole_answers(row: Submission, form: Form | None = None) -> dict[str, Any]:
    """Return the answers of a submission with its secrets in plain: for checking and for its own writer, never for a list."""
    return join_answers(form or form_of(row), row.answers, reveal_secrets(owner=row.pk))


def answers_of(row: Submission, *, reveal: bool = False) -> dict[str, Any]:
    """Return the answers of a submission in their kept forms, sensitive ones masked; ``reveal``: in plain, which the
    caller audits."""
    form = form_of(row)
    answers = whole_answers(row, form)
    if reveal:
        return answers
    shown = {}
    for key, value in answers.items():
        question = form.question(key)
        shown[key] = masked(question.field, value) if question else value
    return shown


def facts_of(row: Submission) -> dict[str, object]:
    """Return what rules and conditions may read of a submission, by the names that ``linking.kinds_of`` gives; nothing
    sensitive."""
    form = form_of(row)
    facts: dict[str, object] = {linking.TODAY: timezone.localdate(), "form": row.form, "entry": row.entry}
    for question in form.questions():
        if not question.field.sensitive and question.key in row.answers:
            facts |= linking.facts_of(question.field, row.answers[question.key])
    return facts


def summary_of(row: Submission, *, reveal: bool = False, known: Known | None = None) -> list[Part]:
    """Return a submission in words, section by section; sensitive answers masked unless ``reveal``, which the caller audits."""
    form = form_of(row)
    answers = whole_answers(row, form)
    return summary(form, answers, files_by_paper(row), reveal=reveal, known=known, sources=row.sources)


def secrets_of_round(one: SubmissionRound) -> dict[str, str]:
    """Return the sealed answers of a round in plain, by path: for words that mask them, never for a list."""
    return {path: unseal(kept, field=path, owner=one.submission_id) for path, kept in one.sealed.items()}


def summary_of_round(row: Submission, number: int, *, known: Known | None = None) -> list[Part]:
    """Return in words what a submission said when it was handed in for the ``number``th time, sensitive answers masked.

    Raises ``NotFound`` for a round that never was.
    """
    one = row.rounds.filter(number=number).first()
    if one is None:
        raise NotFound("round_unknown", "没有这一次提交。")
    form = form_of(row)
    files: dict[str, list[str]] = {}
    for each in one.files:
        files.setdefault(each["purpose"], []).append(each["name"])
    return summary(form, join_answers(form, one.answers, secrets_of_round(one)), files, reveal=False, known=known)


def summary(
    form: Form,
    answers: Mapping[str, Any],
    files: Mapping[str, list[str]],
    *,
    reveal: bool,
    known: Known | None = None,
    sources: Mapping[str, Any] | None = None,
) -> list[Part]:
    """Return answers in words, section by section: of the items that appear."""
    known = known or CityKnown()
    linked = link(form, answers, timezone.localdate())
    parts = []
    for section in form.sections:
        lines = []
        for item in section.items:
            if item.key not in linked.shown:
                continue
            if isinstance(item, Question):
                lines.append(_line(item, form, answers, reveal, known, sources or {}))
            else:
                names = "、".join(files.get(item.key, ())) or "未上传"
                lines.append(Line(item.key, item.certificate.name, names))
        if lines:
            parts.append(Part(section.title, tuple(lines)))
    return parts


def _line(
    item: Question, form: Form, answers: Mapping[str, Any], reveal: bool, known: Known, sources: Mapping[str, Any]
) -> Line:
    value = answers.get(item.key)
    secret = item.field.sensitive or any(column.sensitive for column in item.field.columns)
    shown = value if reveal else masked(item.field, value)
    origin = sources.get(item.key)
    source = f"{origin['title']}，{origin['as_of'][:10]}" if origin else ""
    return Line(item.key, item.field.label, said(item.field, shown, form, known), source, bool(secret and value))


def files_by_paper(row: Submission) -> dict[str, list[str]]:
    """Return the names of the files of a submission by certificate."""
    found: dict[str, list[str]] = {}
    rows = Attachment.objects.filter(LIVE, owner_kind=OWNER_KIND, owner_id=str(row.pk)).order_by("uploaded_at")
    for purpose, name in rows.values_list("purpose", "name"):
        found.setdefault(purpose, []).append(name)
    return found


def ended_on(row: Submission) -> dt.date | None:
    """Return the day since which the version a draft is bound to no longer counts; None while it does."""
    bound = row.form_version
    if bound.state == VersionState.WITHDRAWN and bound.withdrawn_at is not None:
        return timezone.localdate(bound.withdrawn_at)
    now = version_for(form=row.form, entry=row.entry, region_id=row.region_id)
    if now is None or now.pk == bound.pk:
        return None
    return max(now.from_day or dt.date.min, timezone.localdate(now.published_at) if now.published_at else dt.date.min)


def last_day(row: Submission) -> dt.date | None:
    """Return the last day on which a draft may still be handed in by its version; None while that version counts."""
    ended = ended_on(row)
    return None if ended is None else ended + dt.timedelta(days=form_named(row.form).grace_days)


def items_open(row: Submission) -> frozenset[str] | None:
    """Return the items that may be changed while something is to be supplemented; None when all of them may."""
    return frozenset(row.asked) if row.state == SubmissionState.SUPPLEMENT else None


def papers_shown(row: Submission, form: Form) -> list[Paper]:
    """Return the papers that a submission is asked for now."""
    linked = link(form, whole_answers(row, form), timezone.localdate())
    return [paper for paper in form.papers() if paper.key in linked.shown]
