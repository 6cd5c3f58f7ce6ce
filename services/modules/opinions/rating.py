"""What the platform of supervision is told of ratings: figures of an institution's public comments, sent until they are taken.

A report is made whenever the figures are other than in the newest report; one that still waits is replaced. Nothing in it is of a
person: no name, no words, no means of fewer than ``LEAST_FOR_MEAN`` comments.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from services.access.models import Organisation
from services.facilities.models import Facility
from services.integrations.outbox import Outbox
from services.integrations.supervision.client import is_connected, platform
from services.integrations.supervision.schemas import FINAL, Rating
from services.modules.opinions.models import Comment, RatingReport, ReportState
from services.modules.opinions.queries import PUBLIC, means_of

TELL_TASK: Final = "services.modules.opinions.tell_ratings"


def tell_ratings() -> int:
    """Report every rating that changed, and send what is due; return how many reports were sent or given up.

    Nothing is reported while no platform is connected: what changed meanwhile is found when one is.
    """
    if not is_connected():
        return 0
    for row in _institutions():
        report_rating(organisation_id=row.pk)
    return OUTBOX.deliver()


@transaction.atomic
def report_rating(*, organisation_id: int) -> RatingReport | None:
    """Make a report of an institution's rating where it is other than in the newest one, in place of one that waits."""
    row = Organisation.objects.select_for_update().get(pk=organisation_id)
    what = figures_of(row)
    newest = RatingReport.objects.filter(organisation=row).order_by("-id").first()
    if what == (newest.what if newest else NOTHING | {"credit_code": row.credit_code}):
        return None
    now = timezone.now()
    waiting = RatingReport.objects.filter(organisation=row, state=ReportState.WAITING)
    if waiting.filter(attempts__gt=0, code="", next_at__gt=now).exists():
        return None  # it is on its way: the newer figures follow it, and never arrive before it
    waiting.update(state=ReportState.REPLACED, ended_at=now)
    return RatingReport.objects.create(organisation=row, what=what, next_at=now)


NOTHING: Final[dict[str, Any]] = {"comments": 0, "mean": None, "aspects": {}}


def figures_of(row: Organisation) -> dict[str, Any]:
    """Return how many public comments the places of an institution have, and of enough, their means."""
    standing = means_of(Comment.objects.filter(PUBLIC, facility__organisation=row))
    means = {"mean": standing.mean, "aspects": dict(standing.aspects)}
    return {"credit_code": row.credit_code, "comments": standing.count} | means


def _institutions() -> list[Organisation]:
    """Return the institutions with a 统一社会信用代码 that have public comments, or had when they were last reported."""
    commented = Facility.objects.filter(pk__in=Comment.objects.filter(PUBLIC).values("facility"))
    reported = RatingReport.objects.values("organisation")
    rows = Organisation.objects.filter(active=True).exclude(credit_code="")
    return list(rows.filter(Q(pk__in=commented.values("organisation")) | Q(pk__in=reported)).order_by("pk"))


def _tell(row: RatingReport) -> str:
    return platform().tell(Rating(report_id=str(row.uid), as_of=timezone.localdate(row.made_at), **row.what))


OUTBOX: Final = Outbox(RatingReport, TELL_TASK, _tell, FINAL)
