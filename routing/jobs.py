"""The long work of travel."""

from __future__ import annotations

from typing import Any

from geo.jobs.progress import Progress
from geo.jobs.registry import job
from routing.actions import rebuild_graph


@job("routing.rebuild_graph")
def rebuild(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Rebuild the road graph; it starts over after a crash, since half a graph is of no use."""
    progress.step(0.05, "读取道路")
    return {"version": rebuild_graph().name}
