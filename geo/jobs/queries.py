"""Reads of jobs."""

from __future__ import annotations

from django.db.models import QuerySet

from geo.jobs.models import Job
from geo.scope import Scope


def jobs_visible(*, scope: Scope) -> QuerySet[Job]:
    """Return the jobs a scope may see: those it asked for itself, and with ``jobs.view`` over the whole city all.

    A job lies in no region, so a part of the city sees none of its neighbours'.
    """
    jobs = Job.objects.all()
    if scope.whole_city and scope.holds("jobs.view"):
        return jobs
    return jobs.filter(actor=scope.actor).exclude(actor="public")
