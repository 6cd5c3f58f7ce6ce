"""Measuring as a job, kind by kind: each is kept as soon as it is done, and only what changed is measured again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from django.db import transaction

from geo.addresses.gazetteer import published_now
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from routing.graph import Graph
from routing.places import Doors, doors_at
from services.facilities.ground import current_graph
from services.facilities.kinds import kind_of
from services.gaps.ground import Ground, make_ground, metres_of, stamp_of
from services.gaps.measuring import WALK, walks_to
from services.gaps.models import GapGround, GapWalk
from services.gaps.packing import packed, unpacked
from services.gaps.places import NO_PLACES, places_of, stamps
from services.gaps.queries import KIND, stale_kinds

_GROUND_PART: Final = 0.3
"""Of the progress, what making the ground takes."""


@job(KIND)
def measure(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Measure every kind whose places, or the ground under them, are others than when it was measured last."""
    published, graph = published_now(), current_graph()
    row = _ground(progress, graph)
    ground = Ground.of(row.arrays)
    stale = stale_kinds(published, row.stamp)
    doors = Doors(**unpacked(row.doors))
    for done, kind in enumerate(stale):
        share = _GROUND_PART + (1 - _GROUND_PART) * done / len(stale)
        progress.step(share, f"算走到最近的{kind_of(kind).name}要几分钟（{done + 1}/{len(stale)}）")
        _measure(kind, graph, row, ground, doors)
    GapGround.objects.filter(walks=None).exclude(pk=row.pk).delete()
    return {"kinds": len(stale), "cells": len(ground.cells)}


def _ground(progress: Progress, graph: Graph) -> GapGround:
    """Return the ground of what is published now, made where it is not kept."""
    published = published_now()
    stamp = stamp_of(graph, published)
    row = GapGround.objects.filter(stamp=stamp).first()
    if row is None:
        made = make_ground(published, lambda share: progress.step(_GROUND_PART * share, "把居民放到住的地方"))
        doors = doors_at(graph, *metres_of(made.cells), WALK)
        row, _ = GapGround.objects.get_or_create(
            stamp=stamp,
            defaults={
                "graph": graph.meta.version,
                "roads_as_of": graph.meta.as_of,
                "arrays": made.pack(),
                "doors": packed(**asdict(doors)),
            },
        )
    return row


def _measure(kind: str, graph: Graph, row: GapGround, ground: Ground, doors: Doors) -> None:
    published = published_now()
    # Read before the places: a place that opens in between is measured by the next run.
    stamp = stamps(published, kind).get(kind, NO_PLACES)
    places = places_of(kind, published)
    walks = walks_to(graph, ground, doors, places)
    with transaction.atomic():
        GapWalk.objects.update_or_create(
            kind_id=kind,
            defaults={"ground": row, "places": len(places[0]), "places_stamp": stamp, "arrays": walks.pack()},
        )
