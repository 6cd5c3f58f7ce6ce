"""A process that publishes regions on the test database in children of its own, which it kills when told to.

It speaks by lines: told ``job ID SECONDS`` or ``import FILE SECONDS`` it answers how the child ended, 0 when all went well, -9
when it was killed before its end. With no seconds (0) the child is left alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import django


def publish_job(job: str) -> None:
    from geo.jobs.actions import run_job
    from geo.jobs.models import JobState

    outcome = run_job(job_id=job)
    assert outcome.state == JobState.DONE, outcome.error


def publish_import(file: str) -> None:
    from pathlib import Path

    from geo.imports.actions import draft_source, publish_runs
    from geo.imports.spec import manifest_of

    declared = {"key": "drawn", "title": "画出来的区划", "family": "regions", "datum": "cgcs2000", "ext_id": ["code"]}
    [spec] = manifest_of({"source": [{**declared, "file": Path(file).name}]}).sources
    [report] = publish_runs(runs=[draft_source(spec=spec, files=[Path(file)])])
    assert report.published, report.doubts


ACTS = {"job": publish_job, "import": publish_import}


def child(act: str, what: str) -> None:
    status = 1
    try:
        ACTS[act](what)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    from geo.regions import assignment, importing  # noqa: F401 (loaded once, for all children)

    assignment.CHUNK = 15  # type: ignore[misc]  # many moments to die in
    say("ready")
    for line in sys.stdin:
        act, what, seconds = line.split()
        pid = os.fork()
        if pid == 0:
            child(act, what)
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(pid, signal.SIGKILL)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
