"""What the smart review knows of a case: what was answered, and which other cases the same person or papers have."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.regions.queries import path_of
from geo.scope import Scope
from services.crypto.queries import owners_with
from services.kernel.forms.answering import link
from services.kernel.forms.answering.identity import carried_by
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import facts_of, files_by_paper, form_of, whole_answers
from services.kernel.forms.registry import form_named
from services.kernel.forms.spec import Form, Question
from services.kernel.workflow.choosing import source_name
from services.kernel.workflow.filling import plain_fact
from services.kernel.workflow.models import Case
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.rules import facts_reviewed
from services.kernel.workflow.spec import Fact


def submission_of(case: Case) -> Submission | None:
    """Return the form that a case was opened of, None where there was none."""
    return (
        Submission.objects.select_related("form_version").filter(pk=case.submission).first()
        if case.submission
        else None
    )


def answers_to_review(case: Case) -> tuple[dict[str, Any], dict[str, str], dict[str, int]]:
    """Return (answers, labels, counts of files) by key: of the form, and of the facts of a case without one."""
    row = submission_of(case)
    if row is None:
        return dict(case.facts), {}, {}
    form = form_of(row)
    labels = {
        item.key: item.field.label if isinstance(item, Question) else item.certificate.name for item in form.items()
    }
    return whole_answers(row, form), labels, {key: len(names) for key, names in files_by_paper(row).items()}


def items_shown(case: Case) -> frozenset[str] | None:
    """Return the items that the form of a case asked, given its answers; None where it was opened without one."""
    row = submission_of(case)
    if row is None:
        return None
    form = form_of(row)
    return link(form, whole_answers(row, form), timezone.localdate()).shown


def of_any_case(case: Case) -> dict[str, object]:
    """Return the facts that every rule set of reviews reads."""
    path = path_of(case.region_id, scope=Scope.public())
    return {
        "source": source_name(case.matter, case.source),
        "region": path[-1].name if path else None,
        "by_body": case.organisation_id is not None,
    }


def facts_of_matter(case: Case) -> dict[str, object]:
    """Return what the rules of a case's matter read: its facts, and the answers of its form that say nothing of a person."""
    row = submission_of(case)
    known: dict[str, object] = dict(facts_of(row)) if row else {}
    known |= case.facts
    facts = of_any_case(case)
    for fact in facts_reviewed(matter_named(case.matter)):
        if fact.key in known and known[fact.key] not in (None, ""):
            facts[fact.key] = plain_fact(Fact(fact.key, fact.label, fact.kind), known[fact.key])
    facts["files"] = sum(len(names) for names in files_by_paper(row).values()) if row else 0
    return facts


def facts_of_truth(case: Case) -> dict[str, object]:
    """Return what the rules of truthfulness read of any case; nothing that names a person."""
    row = submission_of(case)
    form = form_of(row) if row else None
    answers = whole_answers(row, form) if row else {}
    identity = answers.get(key) if form and (key := _first_identity(form)) else None
    others = _with_identity(form, answers).exclude(pk=case.pk).filter(closed_at=None)
    if case.applicant_id is not None:
        others = others.exclude(applicant=case.applicant_id)
    mine = cases_of_same(case).filter(matter=case.matter, closed_at=None)
    return of_any_case(case) | {
        "matter": matter_named(case.matter).title,
        "signed_in": case.applicant_id is not None,
        "name_same": _name_same(case, row, answers),
        "age": _age(identity),
        "shared": others.count(),
        "running": mine.count(),
        "body_active": case.organisation.active if case.organisation else None,
    }


def cases_of_same(case: Case) -> QuerySet[Case]:
    """Return the other cases of the same applicant: of the account, the organisation, or the same identity number."""
    row = submission_of(case)
    form = form_of(row) if row else None
    same = _with_identity(form, whole_answers(row, form) if row else {}).values("pk")
    wanted = Q(pk__in=same)
    if case.applicant_id is not None:
        wanted |= Q(applicant=case.applicant_id, organisation=case.organisation_id)
    if case.organisation_id is not None:
        wanted |= Q(organisation=case.organisation_id)
    return Case.objects.filter(wanted).exclude(pk=case.pk).exclude(state="deleted").order_by("pk")


def _first_identity(form: Form) -> str:
    return next((each.key for each in form.questions() if each.field.kind == "identity"), "")


def _with_identity(form: Form | None, answers: dict[str, Any]) -> QuerySet[Case]:
    """Return the cases whose form bears the same identity number, found by its blind index."""
    key = _first_identity(form) if form else ""
    if not key or not answers.get(key):
        return Case.objects.none()
    return Case.objects.filter(submission__in=owners_with(field=key, value=str(answers[key]))).exclude(state="deleted")


def _name_same(case: Case, row: Submission | None, answers: dict[str, Any]) -> bool | None:
    """Say whether the name that was given is the account's; None where one of the two is not there."""
    if row is None or case.applicant is None or not case.applicant.display_name:
        return None
    prefills = form_named(row.form).prefills
    key = next((key for key, source in prefills.items() if source == ("account", "name")), "")
    return str(answers[key]) == case.applicant.display_name if answers.get(key) else None


def _age(identity: object, today: dt.date | None = None) -> int | None:
    """Return how old who bears an identity number is today, in whole years."""
    carried = carried_by(str(identity)) if identity else None
    if carried is None:
        return None
    day, born = today or timezone.localdate(), carried.birthday
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
