"""The long work of crypto: sealing everything anew after a rotation of keys."""

from __future__ import annotations

from typing import Any

from geo.jobs.progress import Progress
from geo.jobs.registry import job
from services.crypto.rotation import JOB, renew_all


@job(JOB)
def reseal(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Seal every text anew that an older key sealed."""
    return renew_all(progress)
