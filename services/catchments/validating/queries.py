"""Reads of validation analysis: registers and runs of the scope's districts, answers, and what changed between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import BadInput, NotFound
from geo.jobs.models import Job, JobState
from geo.regions.queries import within
from geo.scope import Scope
from services.access.queries import check_duty
from services.catchments.answering import OUTCOMES, REASONS, Outcome
from services.catchments.entries import CHOICES, Choice
from services.catchments.models import CatchmentEdition
from services.catchments.queries import VIEW
from services.catchments.validating.models import Register, Validation, Verdict
from services.catchments.validating.sealing import of_row, of_verdict, seal_of
from services.facilities.models import Facility

UNMATCHED: Final = ("none", "unclear", "unknown")
"""The outcomes that leave parents without an answer."""
AT_ONCE: Final = 50
MOST_CHANGES: Final = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a run: ``outcome`` a key of ``OUTCOMES`` or ``unmatched``; '' and 0 ask for all."""

    outcome: str = ""
    reason: str = ""
    street: int = 0
    site: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a run is: state of its job, share, message."""

    state: str
    share: float
    message: str
    error: str = ""

    @property
    def running(self) -> bool:
        """Say whether a worker is at it or will be."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of a run for people: its sheet, '' in a file with one, and its row in that."""

    sheet: str
    number: int
    own: str
    street: str
    committee: str
    community: str
    address: str
    outcome: str
    reason: str
    places: str
    said: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows that say something else in the later of two runs: from what to what, and how many."""

    before: str
    before_places: str
    after: str
    after_places: str
    count: int


def registers_for(edition: CatchmentEdition, *, scope: Scope) -> QuerySet[Register]:
    """Return the registers that an edition can be held against: of its district and entry, any year."""
    check_duty(scope, VIEW)
    rows = Register.objects.filter(within(scope, "district"), district=edition.district_id, entry=edition.entry)
    return rows.order_by("-year", "-made_at")


def register_seen(register_id: UUID, *, scope: Scope, duty: str = VIEW) -> Register:
    """Return a register of the scope's districts. Raises ``NotFound`` for any other."""
    check_duty(scope, duty)
    found = Register.objects.filter(within(scope, "district"), pk=register_id).first()
    if found is None:
        raise NotFound("register_unknown", "没有找到这份名册：它可能已被删除、已经到期，或者不属于您的管辖范围。")
    return found


def validations_of(edition: CatchmentEdition, *, scope: Scope) -> QuerySet[Validation]:
    """Return the runs against an edition, the latest first."""
    check_duty(scope, VIEW)
    rows = Validation.objects.filter(within(scope, "edition__district"), edition=edition)
    return rows.select_related("register").order_by("-made_at")


def validation_seen(validation_id: UUID, *, scope: Scope, duty: str = VIEW) -> Validation:
    """Return a run of the scope's districts with its register and edition. Raises ``NotFound`` for any other."""
    check_duty(scope, duty)
    rows = Validation.objects.filter(within(scope, "edition__district"), pk=validation_id)
    found = rows.select_related("register", "edition").first()
    if found is None:
        raise NotFound(
            "validation_unknown", "没有找到这次验证：它的名册可能已被删除、已经到期，或者不属于您的管辖范围。"
        )
    return found


def earlier_run(validation: Validation) -> Validation | None:
    """Return the run of the same register that was finished last before this one."""
    rows = Validation.objects.filter(register=validation.register_id, made_at__lt=validation.made_at)
    return rows.exclude(done_at=None).order_by("-made_at").first()


def progress_of(validation: Validation) -> Progressed:
    """Return how far a run is."""
    return progress_at(validation.job, done=validation.done_at is not None)


def progress_at(job_id: UUID | None, *, done: bool) -> Progressed:
    """Return how far the work of a job is that writes down itself when it is done."""
    if done:
        return Progressed(JobState.DONE, 1.0, "")
    job = Job.objects.filter(pk=job_id).first() if job_id else None
    if job is None:
        return Progressed(JobState.CANCELLED, 0.0, "")
    return Progressed(job.state, job.progress, job.message, str(job.error.get("message", "")))


def counts_of(validation: Validation) -> dict[str, int]:
    """Return how many rows each outcome has, in the order of the outcomes."""
    return {outcome: sum(validation.counts.get(outcome, {}).values()) for outcome in OUTCOMES}


def facets(validation: Validation) -> tuple[list[tuple[int, str, int]], list[tuple[int, str, int]]]:
    """Return the streets and the kindergartens of a run, each with its rows, the most first; 0 is an unknown street."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(street_id, 0), count(*) FROM catchments_validating_verdict WHERE validation_id = %s"
            " GROUP BY 1 ORDER BY 2 DESC, 1",
            [validation.pk],
        )
        streets = cursor.fetchall()
        cursor.execute(
            "SELECT site, count(*) FROM catchments_validating_verdict, unnest(sites) AS site WHERE validation_id = %s"
            " GROUP BY 1 ORDER BY 2 DESC, 1",
            [validation.pk],
        )
        sites = cursor.fetchall()
    names, called = names_of(published_now()), _called(site for site, _ in sites)
    return (
        [(pk, region.name if (region := names.region(pk)) else "街镇不明", count) for pk, count in streets],
        [(pk, called.get(pk, ""), count) for pk, count in sites],
    )


def verdicts(validation: Validation, wanted: Wanted) -> QuerySet[Verdict]:
    """Return the rows that are wanted, in the order of the file, with what the register says. Raises ``BadInput``."""
    rows = Verdict.objects.filter(validation=validation).select_related("row").order_by("number")
    if wanted.outcome == "unmatched":
        rows = rows.filter(outcome__in=UNMATCHED)
    elif wanted.outcome:
        if wanted.outcome not in OUTCOMES:
            raise BadInput("outcome_unknown", "没有这种结果，请从列表里选。", parameter="outcome")
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.reason:
        rows = rows.filter(reason=wanted.reason)
    if wanted.street:
        rows = rows.filter(street=wanted.street if wanted.street > 0 else None)
    if wanted.site:
        rows = rows.filter(sites__contains=[wanted.site])
    if wanted.text:
        rows = rows.filter(Q(number__in=_written(validation, rows, wanted.text)) | Q(row__own=wanted.text))
    return rows


def _written(validation: Validation, rows: QuerySet[Verdict], text: str) -> RawSQL:
    """Return the numbers of those rows whose address holds a text: each is opened, at four microseconds."""
    seal = seal_of(validation.register)
    kept = rows.order_by().values_list("number", "row__address").iterator(chunk_size=5_000)
    found = [number for number, address in kept if text in seal.open(address, place=of_row(number))]
    return RawSQL("SELECT unnest(%s::int[])", [found])


def shown(validation: Validation, found: Iterable[Verdict]) -> Iterator[Shown]:
    """Yield rows of a run as people read them."""
    rows = list(found)
    called = _called(site for row in rows for site in (*row.sites, *row.possible))
    seal = seal_of(validation.register)
    for row in rows:
        address = seal.open(row.row.address, place=of_row(row.number))
        said = seal.open(row.said, place=of_verdict(validation.pk, row.number))
        yield Shown(
            *validation.register.place_of(row.number), row.row.own, row.row.street, row.row.committee, row.row.community,
            address, _outcome(row.outcome), REASONS.get(row.reason, row.reason), _places(row, called), said,
        )  # fmt: skip


def _places(row: Verdict, called: dict[int, str]) -> str:
    named = [called.get(site, "") for site in row.sites] + [_choice(choice) for choice in row.choices]
    if named:
        return "、".join(named)
    may = "、".join(called.get(site, "") for site in row.possible)
    return f"可能是：{may}" if may else ""


def changed_between(before: Validation, after: Validation) -> list[Changed]:
    """Return what other rows of one register got in a later run: from what to what, the most first."""
    if before.register_id != after.register_id:
        raise BadInput("registers_differ", "两次验证用的不是同一份名册，不能比较。请选同一份名册的两次。")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.outcome, a.sites, a.choices, b.outcome, b.sites, b.choices, count(*)
               FROM catchments_validating_verdict a JOIN catchments_validating_verdict b ON b.row_id = a.row_id
               WHERE a.validation_id = %s AND b.validation_id = %s
                 AND (a.outcome, a.sites, a.choices) IS DISTINCT FROM (b.outcome, b.sites, b.choices)
               GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7 DESC, 1, 4 LIMIT %s""",
            [before.pk, after.pk, MOST_CHANGES],
        )
        rows: list[Any] = cursor.fetchall()
    called = _called(site for row in rows for site in (*row[1], *row[4]))

    def places(sites: list[int], choices: list[str]) -> str:
        return "、".join([*(called.get(site, "") for site in sites), *map(_choice, choices)])

    return [
        Changed(_outcome(was), places(*had), _outcome(now), places(*has), count)
        for was, *had, now, sites, choices, count in rows
        for has in ((sites, choices),)
    ]


def _called(sites: Iterable[int]) -> dict[int, str]:
    return dict(Facility.objects.filter(pk__in=set(sites)).values_list("pk", "name"))


def _outcome(key: str) -> str:
    return OUTCOMES[cast("Outcome", key)]


def _choice(key: str) -> str:
    return CHOICES[cast("Choice", key)]
