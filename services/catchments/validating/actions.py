"""Writes of validation analysis: take a register in from a file or from forms, run it, stop and go on, delete it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.jobs.actions import cancel_job, start_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from services.access.queries import check_duty
from services.catchments.entries import entry_point
from services.catchments.models import CatchmentEdition
from services.catchments.queries import EDIT, edition_seen
from services.catchments.validating.models import Origin, Register, RegisterRow, Validation
from services.catchments.validating.queries import register_seen, validation_seen
from services.catchments.validating.reading import LABELS, Line, read_register
from services.catchments.validating.sealing import new_key, of_row, seal_of
from services.catchments.validating.taking import handed_in_for, lines_from_forms, season_of
from services.kernel.forms.taking import check_taking

KIND: Final = "catchments.validate"
_COLUMNS: Final = "register_id, number, own, street, committee, community, address"
_COPY: Final = f"COPY catchments_validating_registerrow ({_COLUMNS}) FROM STDIN"
_LIVE: Final = (JobState.QUEUED, JobState.RUNNING)
FROM_FORMS: Final = "幼儿信息登记"
NOTHING: Final = "{first} 到 {last} 还没有家长提交这个入口的登记。请等家长提交以后再取，或者上传名册。"


def take_register(*, edition_id: UUID, source: Path, name: str, key: UUID, scope: Scope) -> Register:
    """Take in a register for the year, district and entry of an edition. Raises ``BadInput``; then nothing is kept."""
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    done = Register.objects.filter(key=key, district=edition.district_id).first()
    if done is not None:
        return done
    entry = entry_point(edition.entry)
    assert entry is not None
    taken = read_register(source, entry)
    with transaction.atomic():
        register = _kept(
            key=key, year=edition.year, district_id=edition.district_id, entry=edition.entry,
            name=name.replace("\x00", "").strip()[-120:] or "名册",
            columns=taken.columns, dropped=[title[:40] for title in taken.dropped],
            sheets=taken.sheets, row_count=len(taken.lines), made_by=scope.actor,
        )  # fmt: skip
        copy_rows(register, taken.lines)
    return register


@transaction.atomic
def begin_from_forms(*, edition_id: UUID, key: UUID, scope: Scope) -> Validation:
    """Begin a register of what families handed in for the year, district and entry of an edition, and its first run.

    The run takes the rows before it answers them. Raises ``Forbidden`` for who may not read the forms, ``BadInput`` where
    nothing is handed in.
    """
    check_taking(scope)
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    CatchmentEdition.objects.select_for_update().get(pk=edition.pk)  # the other half of a double click waits here
    register = Register.objects.filter(key=key, district=edition.district_id).first()
    if register is None:
        if not handed_in_for(edition, scope=scope).exists():
            first, last = season_of(edition.year)
            raise BadInput("nothing_handed_in", NOTHING.format(first=first, last=last))
        register = _kept(
            key=key, year=edition.year, district_id=edition.district_id, entry=edition.entry, name=FROM_FORMS,
            origin=Origin.FORMS, columns=list(LABELS.values()), made_by=scope.actor,
        )  # fmt: skip
    return start_validation(edition_id=edition_id, register_id=register.pk, key=key, scope=scope)


def take_rows(register: Register, *, scope: Scope, piece_done: Callable[[int], object]) -> None:
    """Take the rows of a register from what families handed in; what an earlier attempt took is taken anew.

    ``piece_done`` is told how many rows there are, in the transaction of each piece.
    """
    check_duty(scope, EDIT)
    now = timezone.localtime()
    with transaction.atomic():
        RegisterRow.objects.filter(register=register)._raw_delete("default")
        piece_done(0)
    count = 0
    for lines in lines_from_forms(register, scope=scope):
        with transaction.atomic():
            count += len(lines)
            copy_rows(register, lines)
            piece_done(count)
    if not count:
        first, last = season_of(register.year)
        raise BadInput("nothing_handed_in", NOTHING.format(first=first, last=last))
    register.until, register.row_count, register.name = now, count, f"{FROM_FORMS}（截至 {now:%Y-%m-%d %H:%M}）"
    register.save(update_fields=["until", "row_count", "name"])


def _kept(**told: Any) -> Register:
    """Return a new register with a key of its own."""
    register = Register(**told)
    register.sealed_key = new_key(register.pk)
    register.save(force_insert=True)
    return register


def copy_rows(register: Register, lines: Sequence[Line]) -> None:
    """Write rows of a register, their addresses sealed."""
    seal = seal_of(register)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in lines:
            address = seal.close(line.address, place=of_row(line.number))
            copy.write_row((register.pk, *line._replace(address=address)))


@transaction.atomic
def start_validation(*, edition_id: UUID, register_id: UUID, key: UUID, scope: Scope) -> Validation:
    """Run a register against an edition as it is now; sent twice, or while the same is running, it is run once."""
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    register = register_seen(register_id, scope=scope)
    if (register.district_id, register.entry) != (edition.district_id, edition.entry):
        raise Conflict("register_elsewhere", "这份名册是别的区或别的入口的，请选本区、本入口的名册。")
    register = Register.objects.select_for_update().get(pk=register.pk)
    done = Validation.objects.filter(key=key).first() or _same_running(register, edition_id, edition.revision)
    if done is not None:
        return done
    if register.pending and register.validations.exists():
        raise Conflict("register_pending", "这份名册还没有取完。请打开它的核对，等取完或点“接着核对”。")
    made = Validation.objects.create(
        key=key, register=register, edition=edition, revision=edition.revision, made_by=scope.actor
    )
    return _started(made, scope)


def _same_running(register: Register, edition_id: UUID, revision: int) -> Validation | None:
    rows = Validation.objects.filter(register=register, edition=edition_id, revision=revision, done_at=None)
    running = Job.objects.filter(kind=KIND, state__in=_LIVE).values("pk")
    return rows.filter(job__in=running).first()


def _started(validation: Validation, scope: Scope) -> Validation:
    validation.job = start_job(kind=KIND, params={"validation": str(validation.pk)}, actor=scope.actor).pk
    validation.save(update_fields=["job"])
    return validation


def stop_validation(*, validation_id: UUID, scope: Scope) -> None:
    """Ask a running validation to stop; what is answered stays."""
    validation = validation_seen(validation_id, scope=scope, duty=EDIT)
    if validation.job is not None:
        cancel_job(job_id=validation.job)


@transaction.atomic
def go_on(*, validation_id: UUID, scope: Scope) -> Validation:
    """Go on with a validation that was stopped or failed. Raises ``Conflict`` for one that runs or is done."""
    validation_seen(validation_id, scope=scope, duty=EDIT)
    validation = Validation.objects.select_for_update().get(pk=validation_id)
    live = validation.job is not None and Job.objects.filter(pk=validation.job, state__in=_LIVE).exists()
    if validation.done_at is not None or live:
        raise Conflict("validation_running", "这次验证正在进行或已经完成，请刷新页面查看。")
    return _started(validation, scope)


@transaction.atomic
def delete_register(*, register_id: UUID, scope: Scope) -> Register:
    """Delete a register with its rows and everything that was answered to them."""
    register = register_seen(register_id, scope=scope, duty=EDIT)
    running = Job.objects.filter(kind=KIND, state__in=_LIVE).values("pk")
    if register.validations.filter(job__in=running).exists():
        raise Conflict("validation_running", "这份名册正在验证，请先停下来再删除。")
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM catchments_validating_verdict WHERE validation_id IN"
            " (SELECT id FROM catchments_validating_validation WHERE register_id = %s)",
            [register.pk],
        )
        cursor.execute("DELETE FROM catchments_validating_registerrow WHERE register_id = %s", [register.pk])
    Register.objects.filter(pk=register.pk).delete()
    return register
