"""Reads of jobs."""

from __future__ import annotations

from django.db.models import QuerySet

from geo.jobs.models import Job
from geo.scope import Scope


def jobs_visible(*, scope: Scope) -> QuerySet[Job]:
    """Return the jobs a scope may see: all with ``jobs.view``, else those it asked for itself."""
    jobs = Job.objects.all()
    return jobs if scope.holds("jobs.view") else jobs.filter(actor=scope.actor).exclude(actor="public")
