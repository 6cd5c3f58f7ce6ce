"""Reads of security: the last checks, the keys as they may be shown, how far logs are signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Max, QuerySet

from geo.errors import CityError
from geo.jobs.models import Job
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.crypto.chain import chained_tables
from services.crypto.house import house_keys
from services.crypto.models import ChainedLog, LogHead
from services.crypto.port import PURPOSE_NAMES
from services.crypto.rotation import JOB as RESEAL_JOB
from services.kernel.security.actions import CHECK_JOB
from services.kernel.security.alarms import DUTY

SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as a line of a table."""

    id: str
    purpose: str
    made_on: object
    newest: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log as a line of a table: how many rows are signed, and when last."""

    title: str
    size: int
    signed_at: object


def last_checks(*, scope: Scope) -> QuerySet[Job]:
    """Return the last checks, newest first. Needs ``security.check`` over the whole city, as all of these do."""
    check_city_duty(scope, DUTY)
    return Job.objects.filter(kind=CHECK_JOB).order_by("-created_at")[:SHOWN]


def last_rotation(*, scope: Scope) -> Job | None:
    """Return the last work of sealing everything anew."""
    check_city_duty(scope, DUTY)
    return Job.objects.filter(kind=RESEAL_JOB).order_by("-created_at").first()


def key_lines(*, scope: Scope) -> tuple[list[KeyLine], str]:
    """Return the keys, newest first, or the words that say why they cannot be listed."""
    check_city_duty(scope, DUTY)
    try:
        notes = house_keys().notes()
    except CityError as fault:
        return [], fault.message
    return [KeyLine(each.id, PURPOSE_NAMES[each.purpose], each.made_on, each.newest) for each in reversed(notes)], ""


def log_lines(*, scope: Scope) -> list[LogLine]:
    """Return the logs that are entered in trees."""
    check_city_duty(scope, DUTY)
    sizes = dict(ChainedLog.objects.values_list("key", "size"))
    signed = dict(LogHead.objects.order_by().values_list("log").annotate(Max("at")))
    return [LogLine(table.title, sizes.get(table.key, 0), signed.get(table.key)) for table in chained_tables()]
