"""The addresses that an account's own registrations say, so that parents need not write them twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from services.access.models import User
from services.kernel.forms.models import Submission, SubmissionState
from services.kernel.forms.queries import submissions_of, whole_answers
from services.modules.enrolment.registers import REGISTERS

MOST: Final = 5


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An address as a registration says it, the entry of catchments that it is asked under, and which registration it is."""

    address: str
    entry: str
    said: str


def has_registrations(user: User) -> bool:
    """Say whether an account has begun or handed in a registration; nothing of it is opened."""
    return _registrations(user).exists()


def own_addresses(user: User) -> list[OwnAddress]:
    """Return the addresses of an account's registrations, the last changed first, each once; opened for its own writer only."""
    found: dict[tuple[str, str], OwnAddress] = {}
    for row in _registrations(user)[: 4 * MOST]:
        for each in _of(row, whole_answers(row)):
            found.setdefault((each.entry, each.address), each)
    return list(found.values())[:MOST]


def _registrations(user: User) -> QuerySet[Submission]:
    asked = Q(pk__in=[])
    for one in REGISTERS:
        asked |= Q(form=one.form, entry=one.form_entry)
    return submissions_of(user).filter(asked)


def _of(row: Submission, answers: dict[str, Any]) -> Iterable[OwnAddress]:
    for one in REGISTERS:
        meant = all(answers.get(field) == said for field, said in one.where.items())
        address = next((str(answers[field]).strip() for field in one.address if answers.get(field)), "")
        if (row.form, row.entry) == (one.form, one.form_entry) and meant and address:
            yield OwnAddress(address, one.entry, _told(row))


def _told(row: Submission) -> str:
    if row.state == SubmissionState.DRAFT or row.submitted_at is None:
        return f"登记表草稿，{timezone.localtime(row.changed_at):%Y-%m-%d} 改过"
    return f"登记表，{timezone.localtime(row.submitted_at):%Y-%m-%d} 提交"
