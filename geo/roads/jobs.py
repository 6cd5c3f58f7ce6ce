"""The work that follows a change of roads or of districts."""

from __future__ import annotations

from typing import Any

from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.roads.actions import REBUILD_NAMES, rebuild_names


@job(REBUILD_NAMES)
def rebuild(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Make the names of roads anew; after a new edition their districts may be others."""
    return {"names": rebuild_names()}
