"""Applying for a matter by its form: the draft knows for which matter it is filled in, and handed in it opens the case at once.

The case is opened, or its 补正 taken, in the very transaction in which the form is handed in; a second click finds both done.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import one_edition, path_of, region_by_code
from geo.scope import Scope
from services.access.models import User
from services.facilities.queries import facility_detail
from services.kernel.forms.actions import begin_submission, save_draft
from services.kernel.forms.begun import Begun
from services.kernel.forms.models import Submission
from services.kernel.forms.prefill import prefilled
from services.kernel.forms.prefilling import Value
from services.kernel.forms.queries import facts_of, form_of, whole_answers
from services.kernel.forms.registry import form_named
from services.kernel.workflow.actions import LONGEST_SOURCE_NUMBER, check_offered, check_opener, check_source, open_case
from services.kernel.workflow.choosing import matter_as_set
from services.kernel.workflow.filling import facts_among
from services.kernel.workflow.models import Application, Case
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.spec import MatterSpec
from services.kernel.workflow.supplementing import supplement
from services.kernel.workflow.transitions import ENDED, State


@transaction.atomic
def begin_application(
    *,
    matter: str,
    region: str,
    user: User,
    scope: Scope,
    id: UUID,
    entry: str = "",
    source: str = "online",
    source_number: str = "",
    organisation_id: int | None = None,
    begun: Begun | None = None,
) -> Submission:
    """Begin to fill in the form of a matter for a region (code), and return the draft; the same ``id`` again is the same draft.

    Online it is the caller's own; from any other source it is filled in by staff for somebody. ``begun`` is the row of a ledger
    it is about. Raises what ``open_case`` would, so that nobody fills in what is not taken.
    """
    spec = matter_named(matter)
    if not spec.form:
        raise BadInput("form_missing", f"“{spec.title}”没有申请表，直接提交即可。")
    place = region_by_code(region, scope=Scope.public())
    check_opener(spec, place.path, scope, source != "online")
    check_offered(spec, place.region_id, place.name)
    check_source(spec, source, matter_as_set(spec, place.region_id), place.name)
    online = source == "online"
    form = form_named(spec.form)
    row = begin_submission(
        form=spec.form,
        entry=entry or form.entries[0].key,
        region=region,
        scope=scope,
        account=user if online else None,
        id=id,
    )
    known, made = Application.objects.get_or_create(
        submission=row.pk,
        defaults={
            "matter": matter, "source": source, "source_number": source_number.strip()[:LONGEST_SOURCE_NUMBER],
            "organisation_id": organisation_id, "applicant": user if online else None, "made_by": scope.actor,
        },
    )  # fmt: skip
    if known.matter != matter:
        raise Conflict("form_taken", "这份表单是为别的事项填的，请重新开始。")
    if made and row.version == 1 and not row.answers:
        answers, sources = prefilled(row, begun)
        if answers:
            row = save_draft(submission_id=row.pk, answers=answers, seen=row.version, scope=scope, sources=sources).row
    return row


def application_of(submission_id: UUID) -> Application | None:
    """Return for which matter a form is filled in, None for one that is handed in for itself."""
    return Application.objects.filter(pk=submission_id).first()


def case_of_submission(submission_id: UUID) -> Case | None:
    """Return the case that a form opened, None where it opened none."""
    return Case.objects.filter(submission=submission_id).first()


def take_submission(*, submission: Submission, scope: Scope, number: int, **_: Any) -> None:
    """Open the case of a form that was handed in, or go on with it when it was supplemented; forms of no matter are left alone.

    Connected to ``services.kernel.forms.signals.handed_in``: what is raised here undoes the handing in.
    """
    asked = application_of(submission.pk)
    if asked is None:
        return
    user = User.objects.get(username=scope.actor)
    with one_edition():
        case = case_of_submission(submission.pk)
        if case is None:
            _open(asked, submission, user, scope)
        else:
            _resubmit(case, submission, user, scope, number)


def _open(asked: Application, row: Submission, user: User, scope: Scope) -> None:
    spec = matter_named(asked.matter)
    open_case(
        matter=spec.key, region=_code(row.region_id), title=title_of(spec, row), user=user, scope=scope,
        key=f"submission:{row.pk}", source=asked.source, source_number=asked.source_number,
        facts=known_facts(spec, row), organisation_id=asked.organisation_id, applicant=asked.applicant, submission=row.pk,
        facility_id=place_of(spec, row),
    )  # fmt: skip


def _resubmit(case: Case, row: Submission, user: User, scope: Scope, number: int) -> None:
    locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if locked.state in ENDED or locked.state != State.SUPPLEMENT:
        raise Conflict("case_not_waiting", "这个办件现在不在等补正，不用再提交。请刷新页面看最新情况。")
    locked.facts = {**locked.facts, **known_facts(matter_named(locked.matter), row)}
    if not locked.passed:
        locked.begun = locked.facts
    locked.save(update_fields=["facts", "begun"])
    supplement(
        uid=locked.uid, note="" if locked.applicant_id == user.pk else "代为修改申请表后重新提交", user=user, scope=scope,
        key=f"submission:{row.pk}:{number}", version=locked.version,
    )  # fmt: skip


def known_facts(spec: MatterSpec, row: Submission) -> dict[str, object]:
    """Return the answers of a form that are facts of a matter, nothing sensitive."""
    return facts_among(spec, facts_of(row))


def place_of(spec: MatterSpec, row: Submission) -> int | None:
    """Return the place that a form says the matter is about, None where it says none."""
    answer = whole_answers(row).get(spec.about) if spec.about else None
    return int(answer) if isinstance(answer, int | str) and str(answer).isdecimal() else None


def begun_at(place_id: int, spec: MatterSpec, *, scope: Scope) -> Begun:
    """Return what a place says for the form of a matter that is about it. Raises ``NotFound`` for a place it is not for."""
    place = facility_detail(place_id, scope=scope).place
    if not spec.about or place.kind not in spec.serves:
        raise NotFound("matter_not_there", f"“{spec.title}”不能在这家机构申请，请从机构页面的“申请服务”里选。")
    path = path_of(place.region.id, scope=Scope.public()) if place.region else []
    return Begun(
        ledger="places", title="养老一张图", name=place.name, only=False,
        street=next((each.code for each in path if each.level == "street"), ""),
        values={spec.about: Value(place.id, timezone.now())},
    )  # fmt: skip


def title_of(spec: MatterSpec, row: Submission) -> str:
    """Return what a case is called: the answer that the matter names, else the matter itself."""
    question = form_of(row).question(spec.named_by) if spec.named_by else None
    answer = whole_answers(row).get(spec.named_by) if question and not question.field.sensitive else None
    return str(answer or spec.title)[:120]


def _code(region_id: int) -> str:
    path: list[RegionVersion] = path_of(region_id, scope=Scope.public())
    return path[-1].code if path else ""
