"""Some answers of many submissions at once, as they were last handed in: for work that goes through all of them.

Sealed ones are opened here and nowhere else in bulk; who took which fields of how many is audited before the first is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.crypto.house import house_keys
from services.crypto.models import Secret
from services.crypto.port import Purpose
from services.crypto.sealing import blind_index, newest_id, unseal
from services.kernel.forms.library.queries import VIEW
from services.kernel.forms.models import Submission, SubmissionRound, SubmissionState
from services.kernel.forms.queries import REVEAL, submissions_handed_in

AT_ONCE: Final = 2_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What a submission said when it was last handed in: its number, and the fields that were asked for, without blank ones."""

    id: UUID
    number: str
    answers: Mapping[str, Any]


def may_take(scope: Scope) -> bool:
    """Say whether a scope may take answers of many submissions at once."""
    return scope.holds(VIEW) and scope.holds(REVEAL)


def check_taking(scope: Scope) -> None:
    """Raise ``Forbidden`` where a scope may not take answers of many submissions at once."""
    check_duty(scope, VIEW)
    check_duty(scope, REVEAL)


def last_rounds(rows: QuerySet[Submission]) -> QuerySet[SubmissionRound]:
    """Return the last round of each submission, with its submission."""
    newest = SubmissionRound.objects.filter(submission=OuterRef("pk")).order_by("-number").values("pk")[:1]
    last = rows.order_by().annotate(last=Subquery(newest)).values("last")
    return SubmissionRound.objects.filter(pk__in=last).select_related("submission")


def latest_of_each(
    rows: QuerySet[Submission], *, told_by: Sequence[str], label: Callable[[SubmissionRound], T | None]
) -> list[tuple[UUID, T]]:
    """Return the last submission of each subject with its label, in the order they were handed in; ``None`` leaves one out.

    Two are of one subject when they say the same in the first of the fields ``told_by`` that they answer.
    """
    last: dict[str, tuple[UUID, T | None]] = {}
    found = last_rounds(rows).order_by("at", "pk").iterator(chunk_size=AT_ONCE)
    while piece := list(islice(found, AT_ONCE)):
        marks = marks_of(piece, told_by)
        for each in piece:
            mark = marks.get(each.submission_id, str(each.submission_id))
            last.pop(mark, None)
            last[mark] = each.submission_id, label(each)
    return [(pk, said) for pk, said in last.values() if said is not None]


def marks_of(rounds: Sequence[SubmissionRound], fields: Sequence[str]) -> dict[UUID, str]:
    """Return by submission what those share that said the same in the first of ``fields`` they answered; none without an answer.

    What is sealed is compared by its blind index. Only one that another key sealed than the one in use, or that is being
    supplemented, is opened for that.
    """
    keys, found = house_keys(), dict[UUID, str]()
    newest = newest_id(Purpose.SEAL, keys=keys)
    own = [each.submission_id for each in rounds if each.submission.state == SubmissionState.SUBMITTED]
    rows = Secret.objects.filter(owner__in=own, field__in=fields, key_id=newest).exclude(blind="")
    blind = {(owner, field): mark for owner, field, mark in rows.values_list("owner", "field", "blind")}
    for each in rounds:
        for field in fields:
            mark = blind.get((each.submission_id, field), "")
            if not mark and (sealed := each.sealed.get(field)):
                text = unseal(sealed, field=field, owner=each.submission_id, keys=keys)
                mark = blind_index(text, field=field, keys=keys)
            mark = mark or str(each.answers.get(field) or "")
            if mark:
                found[each.submission_id] = f"{field} {mark}"
                break
    return found


def reveal_handed_in(
    ids: Sequence[UUID], *, form: str, fields: Sequence[str], scope: Scope, detail: Mapping[str, Any]
) -> Iterator[list[HandedIn]]:
    """Return pieces of submissions of a form with some of their fields in plain, in the order of ``ids``, as last handed in.

    Those that are not the scope's are left out. ``detail`` says in the audit log what for. Raises ``Forbidden``.
    """
    check_taking(scope)
    told = {"form": form, "fields": [field[:60] for field in fields], "submissions": len(ids)}
    record_audit(act=AuditAct.ANSWER_REVEALED, actor=scope.actor, detail=told | dict(detail))
    return _pieces(ids, form, fields, scope)


def _pieces(ids: Sequence[UUID], form: str, fields: Sequence[str], scope: Scope) -> Iterator[list[HandedIn]]:
    keys = house_keys()
    for at in range(0, len(ids), AT_ONCE):
        piece = ids[at : at + AT_ONCE]
        rows = submissions_handed_in(scope=scope, form=form).filter(pk__in=piece)
        rounds = {each.submission_id: each for each in last_rounds(rows)}
        found = []
        for each in (rounds[pk] for pk in piece if pk in rounds):
            sealed = {
                field: unseal(each.sealed[field], field=field, owner=each.submission_id, keys=keys)
                for field in fields
                if field in each.sealed
            }
            plain = {field: each.answers[field] for field in fields if each.answers.get(field) not in (None, "")}
            found.append(HandedIn(each.submission_id, each.submission.number or "", plain | sealed))
        yield found
