"""Progress of work that is one long transaction: told from a thread with a connection of its own, so that others see it."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Final

from django.db import DatabaseError, connection
from django.utils import timezone

from geo.jobs.models import Job, JobState
from geo.jobs.progress import REPORT_EVERY_S, JobCancelled, Progress

log = logging.getLogger(__name__)
STOPPED: Final = "任务已按要求停止，什么都没有写入。"


class Aside:
    """Reports and heartbeats of a job while its own connection is inside a transaction; use it as a context manager.

    The work must not touch its own job row meanwhile: the thread would wait for it.
    """

    def __init__(self, progress: Progress) -> None:
        """Take over the reports of a progress."""
        self._job = progress.job
        self._said: tuple[float, str] = (0.0, "")
        self._stop_asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, name="job-progress", daemon=True)

    def __enter__(self) -> Aside:
        """Begin to report."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread before the transaction's outcome is known to anybody."""
        self._over.set()
        self._thread.join()

    def step(self, share: float, message: str = "") -> None:
        """Say how far the work is (0 to 1); raises ``JobCancelled`` when it was asked to stop."""
        if self._stop_asked.is_set():
            raise JobCancelled("job_cancelled", STOPPED)
        self._said = min(max(share, 0.0), 1.0), message[:300]

    def _report(self) -> None:
        try:
            while not self._over.wait(REPORT_EVERY_S):
                self._write()
        finally:
            connection.close()

    def _write(self) -> None:
        share, message = self._said
        mine = Job.objects.filter(pk=self._job.pk, attempts=self._job.attempts)
        try:
            mine.update(progress=share, message=message, heartbeat_at=timezone.now())
            asked = Job.objects.filter(pk=self._job.pk).values_list("cancel_requested", "state", "attempts").first()
        except DatabaseError:
            # the next report tells it; work that the database has left fails by itself
            log.warning("progress not told", exc_info=True, extra={"job": str(self._job.pk)})
            connection.close()
            return
        if asked is not None and (asked[0] or asked[1:] != (JobState.RUNNING, self._job.attempts)):
            self._stop_asked.set()
