"""The part of the ``gaps`` benchmark that needs Django over the scratch database; run as ``python -m tests.bench._gaps city``.

It prints one JSON value on its last line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from geo.addresses.gazetteer import published_now  # noqa: E402
from geo.jobs.actions import run_job  # noqa: E402
from geo.jobs.models import Job, JobState  # noqa: E402
from geo.scope import Scope  # noqa: E402
from routing.actions import rebuild_graph  # noqa: E402
from services.facilities.actions import change_status  # noqa: E402
from services.facilities.ground import current_graph  # noqa: E402
from services.facilities.models import Facility  # noqa: E402
from services.facilities.queries import visible  # noqa: E402
from services.gaps.actions import start_measuring, start_stale  # noqa: E402
from services.gaps.models import GapWalk  # noqa: E402
from services.gaps.queries import KIND, Board, board, question_of  # noqa: E402

STAFF = Scope(paths=("",), duties=frozenset({"gaps.view", "facilities.edit"}), actor="bench")
Value = TypeVar("Value")
CHANGED = ("kindergarten", "nursery", "canteen", "care_home", "health_centre")


def city() -> dict[str, Any]:
    """Measure the city that is loaded from nothing, then again after a place of each of some kinds closed."""
    rebuild_graph()
    current_graph()
    first, job = _timed(lambda: run_job(job_id=start_measuring(scope=STAFF).pk))
    assert job.state == JobState.DONE, job.error
    looks = [_timed(start_stale)[0] for _ in range(5)]
    changes, measurings, boards = [], [], []
    for kind in CHANGED:
        spent = _change(kind)
        for took, times in zip(spent, (changes, measurings, boards), strict=True):
            times.append(took)
    asked = _board(CHANGED[0], "street")
    return {
        "kinds": GapWalk.objects.count(),
        "cells": job.result["cells"] if job.result else 0,
        "places": sum(GapWalk.objects.values_list("places", flat=True)),
        "most": max(GapWalk.objects.values_list("places", flat=True)),
        "junctions": current_graph().meta.nodes,
        "residents": asked.total.residents or 0,
        "told": sum(line.residents is not None for line in asked.lines),
        "lines": len(asked.lines),
        "hidden": asked.total.hidden,
        "first": first,
        "looks": looks,
        "changes": changes,
        "measurings": measurings,
        "boards": boards,
    }


def _change(kind: str) -> tuple[float, float, float]:
    """Close one place of a kind; return the seconds to its new figures, those of the measuring alone, and those of the board."""
    place = Facility.objects.filter(visible(Scope.public(), published_now()), kind=kind).order_by("pk")[0]
    change_status(facility_id=place.pk, status="closed", scope=STAFF)
    before = _board(kind, "street")
    assert before.stale
    began = time.perf_counter()
    assert start_stale() == 1
    job = Job.objects.get(kind=KIND, state=JobState.QUEUED)
    measuring, done = _timed(lambda: run_job(job_id=job.pk))
    assert done.result
    assert done.result["kinds"] == 1
    asking, after = _timed(lambda: _board(kind, "street"))
    assert not after.stale
    assert after.places == before.places - 1
    return time.perf_counter() - began, measuring, asking


def _board(kind: str, level: str) -> Board:
    return board(question_of(kind=kind, ages="60-", minutes=15, level=level, scope=STAFF), scope=STAFF)


def _timed(act: Callable[[], Value]) -> tuple[float, Value]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


if __name__ == "__main__":
    print(json.dumps({"city": city}[sys.argv[1]]()))
