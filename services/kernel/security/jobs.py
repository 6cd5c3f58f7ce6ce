"""The long work of security: checking everything."""

from __future__ import annotations

from typing import Any

from geo.jobs.progress import Progress
from geo.jobs.registry import job
from services.kernel.security.actions import CHECK_JOB
from services.kernel.security.alarms import send_report
from services.kernel.security.checking import PARTS, check_parts, keep_up, plain_report


@job(CHECK_JOB)
def check(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Check part by part; the result is the report, and who keeps security is told when something is wrong."""
    keep_up()
    sections = []
    for section in check_parts(everything=bool(params.get("everything"))):
        sections.append(section)
        progress.step(len(sections) / (len(PARTS) + 1), f"已核查：{section.title}")
    send_report(sections)
    return plain_report(sections)
