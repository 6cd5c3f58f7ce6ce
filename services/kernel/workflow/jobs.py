"""Long work of the workflow: move running cases to another version, with progress; a restarted worker goes on where it was."""

from __future__ import annotations

from typing import Any

from geo.errors import NotFound
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from services.access.models import User
from services.kernel.workflow.models import FlowVersion
from services.kernel.workflow.moving import MOST_REPORTED, MOVE_JOB, report_line, running_of, try_move


@job(MOVE_JOB)
def move_cases(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Move the running cases of a version's older ones, and report which could not be moved and why."""
    version = FlowVersion.objects.filter(pk=params["version"]).first()
    actor = User.objects.filter(username=params["actor"]).first()
    if version is None or actor is None:
        raise NotFound("flow_unknown", "没有找到这个流程版本。")
    moved, refused = progress.cursor.get("moved", 0), list(progress.cursor.get("refused", []))
    last = progress.cursor.get("last", 0)
    ids = [pk for pk in running_of(version) if pk > last]
    for at, pk in enumerate(ids, start=1):
        reason = try_move(pk, version, actor)
        if reason:
            refused.append(report_line(pk, reason))
        else:
            moved += 1
        if at % 50 == 0 or at == len(ids):
            progress.save({"moved": moved, "refused": refused[:MOST_REPORTED], "last": pk})
        progress.step(at / len(ids), f"已看 {at} 件，换了 {moved} 件")
    return {"moved": moved, "refused": refused[:MOST_REPORTED], "refused_count": len(refused)}
