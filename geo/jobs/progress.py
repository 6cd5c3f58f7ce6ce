"""What running work holds in its hand: report progress, keep a cursor, notice a cancellation."""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone

from geo.errors import CityError
from geo.jobs.models import Job, JobState

REPORT_EVERY_S = 0.5


class JobCancelled(CityError):
    """Someone asked for the work to stop."""


class Progress:
    """The running side of one job. Reports are thinned out, so work may call ``step`` as often as it likes."""

    def __init__(self, job: Job) -> None:
        """Begin from the job's stored cursor."""
        self.job = job
        self.cursor: dict[str, Any] = dict(job.cursor)
        self._reported = 0.0

    def step(self, share: float, message: str = "") -> None:
        """Report the share done (0 to 1); raises ``JobCancelled`` when the job was asked to stop."""
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY_S and share < 1:
            return
        self._reported = now
        self._write(progress=min(max(share, 0.0), 1.0), message=message[:300])

    def save(self, cursor: dict[str, Any]) -> None:
        """Keep where the work stands; after a crash the next attempt begins here. Call it inside the step's transaction."""
        self.cursor = dict(cursor)
        self._write(cursor=self.cursor)

    def _write(self, **fields: Any) -> None:
        Job.objects.filter(pk=self.job.pk).update(heartbeat_at=timezone.now(), **fields)
        asked = Job.objects.filter(pk=self.job.pk).values_list("cancel_requested", "state").first()
        if asked is None or asked[0] or asked[1] != JobState.RUNNING:
            raise JobCancelled("job_cancelled", "任务已按要求停止，已完成的部分会保留。")
