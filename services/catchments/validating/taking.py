"""Registers from what families handed in: which submissions, each child once, and their rows without what names a person.

The forms are declared by the modules that own them (``spec.FormRegister``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.declared import declarations
from geo.regions.queries import regions_under
from geo.scope import Scope
from services.catchments.models import CatchmentEdition
from services.catchments.validating.models import Register
from services.catchments.validating.reading import Line, line_of
from services.catchments.validating.spec import FormRegister
from services.kernel.forms.models import Submission, SubmissionRound
from services.kernel.forms.queries import submissions_handed_in
from services.kernel.forms.taking import HandedIn, latest_of_each, reveal_handed_in
from services.kernel.workflow.models import Case
from services.kernel.workflow.transitions import State

FIRST_MONTH: Final = 9
"""With September the registrations for the next year's enrolment begin."""


@cache
def declared() -> tuple[FormRegister, ...]:
    """Return what the modules declare, in their order."""
    return tuple(declarations("registers", "REGISTERS"))


def forms_for(entry: str) -> tuple[FormRegister, ...]:
    """Return the forms whose answers make a register of an entry; none where no module declares one."""
    return tuple(one for one in declared() if one.entry == entry)


def season_of(year: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day on which registrations for a year's enrolment are handed in."""
    return dt.date(year - 1, FIRST_MONTH, 1), dt.date(year, FIRST_MONTH, 1) - dt.timedelta(days=1)


def handed_in_for(edition: CatchmentEdition, *, scope: Scope) -> QuerySet[Submission]:
    """Return the registrations handed in for the year, district and entry of an edition; withdrawn ones are not among them."""
    asked = Q(pk__in=[])
    for one in forms_for(edition.entry):
        asked |= Q(form=one.form, entry=one.form_entry, answers__contains=dict(one.where))
    return _handed_in(edition, scope).filter(asked)


def lines_from_forms(register: Register, *, scope: Scope) -> Iterator[list[Line]]:
    """Yield the rows of a register in pieces: of each child the last registration, numbered in the order they were handed in.

    Their own number is that of the receipt. A child that was registered again for another entry is in that one's register.
    Raises ``Forbidden``.
    """
    told_by = tuple(dict.fromkeys(key for one in declared() for key in one.child))
    last = latest_of_each(
        _handed_in(register, scope), told_by=told_by, label=lambda each: _form_of(each, register.entry)
    )
    names, number = names_of(published_now()), 0
    for one in forms_for(register.entry):
        ids = [pk for pk, form in last if form is one]
        detail = {"register": str(register.pk)}
        for piece in reveal_handed_in(ids, form=one.form, fields=one.fields(), scope=scope, detail=detail):
            lines = [_line(at, each, one, names) for at, each in enumerate(piece, start=number + 1)]
            number += len(piece)
            yield [line for line in lines if line is not None]


def _handed_in(held: CatchmentEdition | Register, scope: Scope) -> QuerySet[Submission]:
    """Return what was handed in by any declared form for a year and a district, whatever the entry."""
    district = names_of(published_now()).region(held.district_id)
    if district is None:
        return Submission.objects.none()
    asked = Q(pk__in=[])
    for one in declared():
        asked |= Q(form=one.form, entry=one.form_entry)
    first, last = (timezone.make_aware(dt.datetime.combine(day, dt.time())) for day in season_of(held.year))
    withdrawn = Case.objects.filter(submission__isnull=False, state__in=(State.WITHDRAWN, State.DELETED))
    return (
        submissions_handed_in(scope=scope)
        .filter(asked, submitted_at__gte=first, submitted_at__lt=last + dt.timedelta(days=1))
        .filter(region__in=regions_under(district.code, scope=scope).values("region_id"))
        .exclude(pk__in=withdrawn.values("submission"))
    )


def _form_of(last: SubmissionRound, entry: str) -> FormRegister | None:
    """Return the form of an entry that a registration belongs to by what it said, ``None`` where it belongs to another."""
    own = last.submission
    for one in forms_for(entry):
        if (one.form, one.form_entry) == (own.form, own.entry) and one.where.items() <= last.answers.items():
            return one
    return None


def _line(number: int, each: HandedIn, form: FormRegister, names: Names) -> Line | None:
    said: Mapping[str, Any] = each.answers
    street = names.by_code.get(str(said.get(form.street, "")))
    return line_of(number, {
        "own": each.number,
        "street": street.name if street else "",
        "committee": str(said.get(form.committee, "")),
        "community": str(said.get(form.community, "")),
        "address": str(next((said[key] for key in form.address if key in said), "")),
    }, place=f"第 {number} 份")  # fmt: skip
