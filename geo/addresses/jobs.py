"""The long work of upkeep: looking for conflicts and checking boundaries and door numbers, both resumable."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from geo.addresses.upkeep.conflicts import drop_vanished, finders, keep_found
from geo.imports.importer import follows
from geo.imports.models import Family
from geo.jobs.actions import start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.jobs.registry import job

CONFLICTS: Final = "addresses.conflicts"


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


def ask_for_conflicts(actor: str = "system") -> Job:
    """Ask for a search for conflicts; one that is waiting already is enough, and is returned."""
    waiting = Job.objects.filter(kind=CONFLICTS, state=JobState.QUEUED).first()
    return waiting or start_job(kind=CONFLICTS, actor=actor)


@follows(Family.ADDRESSES, Family.COMMUNITIES)
def look_after_publishing(families: frozenset[str]) -> None:
    """Look for conflicts whenever addresses or communities were published."""
    ask_for_conflicts()
