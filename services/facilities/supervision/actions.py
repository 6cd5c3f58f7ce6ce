"""Asking the platform of supervision for every institution, a hundred at a time; a fault leaves the last good answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils import timezone

from geo.errors import CityError
from services.access.models import Organisation
from services.facilities.kinds import kinds_named
from services.facilities.models import Facility
from services.facilities.supervision.models import SupervisionFacts, SupervisionPull
from services.facilities.supervision.queries import GROUPS_SHOWN
from services.integrations.supervision.client import Platform, is_connected, platform
from services.integrations.supervision.schemas import CODE_FORM, MOST_AT_ONCE, Facts


def pull_if_connected() -> str:
    """Ask for all institutions where a platform is configured; return what came of it, '' where none is."""
    return pull_facts().state if is_connected() else ""


def pull_facts() -> SupervisionPull:
    """Ask for every institution that runs a place shown, and return what came of it; raises nothing of theirs.

    Each hundred stands for itself: a fault in one leaves what was kept of its institutions, and the rest is still asked for.
    """
    by_code = {row.credit_code: row for row in institutions_asked()}
    faults, known, came = [], 0, 0
    try:
        asked = platform()
        codes_asked = sorted(by_code)
        for begin in range(0, len(codes_asked), MOST_AT_ONCE):
            codes = codes_asked[begin : begin + MOST_AT_ONCE]
            try:
                known += _keep(asked, codes, by_code)
                came += 1
            except CityError as fault:
                faults.append(fault.message)
    except CityError as fault:
        faults.append(fault.message)
    state = "taken" if not faults else "partly" if came else "failed"
    return SupervisionPull.objects.create(
        state=state, asked=len(by_code), known=known, fault=" ".join(dict.fromkeys(faults))[:300]
    )


def institutions_asked() -> Iterator[Organisation]:
    """Yield the institutions with a sound 统一社会信用代码 that run a place of the groups shown today."""
    kinds = [kind for group in GROUPS_SHOWN for kind in kinds_named(group)]
    places = Facility.objects.filter(retired_at=None, kind__in=kinds, organisation__isnull=False)
    rows = Organisation.objects.filter(active=True, pk__in=places.values("organisation"), credit_code__regex=CODE_FORM)
    yield from rows.order_by("pk").iterator()


def _keep(asked: Platform, codes: Sequence[str], by_code: dict[str, Organisation]) -> int:
    told = {each.credit_code: each for each in asked.facts_of(codes)}
    now = timezone.now()
    with transaction.atomic():
        held = {
            row.organisation_id: row
            for row in SupervisionFacts.objects.select_for_update()
            .filter(organisation__in=[by_code[code] for code in codes])
            .order_by("pk")
        }
        for code in codes:
            organisation = by_code[code]
            row = held.get(organisation.pk) or SupervisionFacts(organisation=organisation)
            _take_over(row, told.get(code))
            row.fetched_at = now
            row.save()
    return len(told)


def _take_over(row: SupervisionFacts, facts: Facts | None) -> None:
    """Let a row say what was told; an older day than the one kept is late news, and left."""
    if facts is None:
        row.listed = False
        return
    if row.listed and row.as_of is not None and facts.as_of < row.as_of:
        return
    row.listed, row.finding = True, facts.finding.value if facts.finding else ""
    row.as_of, row.inspected_on, row.grade, row.credit = facts.as_of, facts.inspected_on, facts.grade, facts.credit
