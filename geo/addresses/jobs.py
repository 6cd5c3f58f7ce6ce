"""The long work of upkeep: looking for conflicts and checking boundaries and door numbers, both resumable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from geo.addresses.models import AddressAudit
from geo.addresses.upkeep.audit.actions import begin_audit, end_audit, keep_findings
from geo.addresses.upkeep.audit.findings import Tolerances
from geo.addresses.upkeep.audit.steps import STEPS
from geo.addresses.upkeep.authority import check_edit
from geo.addresses.upkeep.conflicts import drop_vanished, finders, keep_found
from geo.errors import Forbidden
from geo.imports.importer import follows
from geo.imports.models import Family
from geo.jobs.actions import start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope

CONFLICTS: Final = "addresses.conflicts"
AUDIT: Final = "addresses.audit"


@job(CONFLICTS)
def find_conflicts(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Look for conflicts, finder by finder and batch by batch; a killed worker goes on from the last batch."""
    kept = progress.cursor or {"began": timezone.now().isoformat(), "finder": 0, "after": "", "open": 0}
    began = dt.datetime.fromisoformat(kept["began"])
    known = finders()
    while kept["finder"] < len(known):
        name, find = known[kept["finder"]]
        with transaction.atomic():
            batch = find(kept["after"])
            kept["open"] += keep_found(found=batch.found, at=began)
            if batch.next is None:
                kept |= {"finder": kept["finder"] + 1, "after": ""}
            else:
                kept["after"] = batch.next
            progress.save(kept)
        progress.step((kept["finder"] + (batch.share if batch.next else 0)) / len(known), f"正在比对（{name}）")
    return {"open": kept["open"], "gone": drop_vanished(before=began)}


@job(AUDIT)
def audit_addresses(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Check what lies under ``params["path"]`` step by step; a killed worker goes on with the step it was at."""
    kept = progress.cursor
    if not kept:
        audit = begin_audit(job_id=progress.job.pk, actor=progress.job.actor, path=params["path"])
        kept = {"audit": audit.pk, "done": []}
        progress.save(kept)
    audit = AddressAudit.objects.get(pk=kept["audit"])
    for name, step in STEPS.items():
        if name in kept["done"]:
            continue
        begin, looked_at = len(kept["done"]) / len(STEPS), dict[str, int]()

        def told(share: float, message: str, begin: float = begin) -> None:
            progress.step(begin + share / len(STEPS), message)

        found = list(step(params["path"], Tolerances(**audit.tolerances), told, looked_at))
        with transaction.atomic():
            keep_findings(audit=audit, findings=found, looked_at=looked_at)
            kept = {**kept, "done": [*kept["done"], name]}
            progress.save(kept)
    end_audit(audit=audit)
    return {"audit": audit.pk, "counts": audit.counts}


def ask_for_audit(*, scope: Scope) -> Job:
    """Ask for a check of everything that a scope keeps, and return the job; one of the same place under way is returned instead.

    Raises ``Forbidden`` without the duty or without a region.
    """
    check_edit(scope)
    path = _common(scope.paths)
    under_way = Job.objects.filter(kind=AUDIT, params={"path": path}, state__in=(JobState.QUEUED, JobState.RUNNING))
    return under_way.first() or start_job(kind=AUDIT, params={"path": path}, actor=scope.actor)


def _common(paths: Sequence[str]) -> str:
    """Return the path of the smallest region that holds all paths: 黄浦区 for two of its streets."""
    if not paths:
        raise Forbidden("region_missing", "您的账号没有管辖的区划，没有可以检查的范围。")
    begun = zip(*(path.split(".")[:-1] for path in paths), strict=False)
    shared = [codes[0] for codes in takewhile(lambda codes: len(set(codes)) == 1, begun)]
    return "".join(f"{code}." for code in shared)


def ask_for_conflicts(actor: str = "system") -> Job:
    """Ask for a search for conflicts; one that is waiting already is enough, and is returned."""
    waiting = Job.objects.filter(kind=CONFLICTS, state=JobState.QUEUED).first()
    return waiting or start_job(kind=CONFLICTS, actor=actor)


@follows(Family.ADDRESSES, Family.COMMUNITIES)
def look_after_publishing(families: frozenset[str]) -> None:
    """Look for conflicts whenever addresses or communities were published."""
    ask_for_conflicts()
