"""What OGC API – Processes says of processes and jobs, as documents. Pure but for the rows it is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from geo.jobs.models import Job, JobState
from layers.ogc.links import Link, link
from layers.ogc.media import JSON
from layers.processes.models import ProcessRun
from layers.processes.queries import job_of
from layers.processes.spec import RESULT, Input, ProcessSpec

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
PROCESSES_REL: Final = f"{REL}processes"
JOBS_REL: Final = f"{REL}job-list"
EXECUTE_REL: Final = f"{REL}execute"
RESULTS_REL: Final = f"{REL}results"
EXCEPTION: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
TRANSMISSIONS: Final = ("value", "reference")
STATUSES: Final = {
    JobState.QUEUED: "accepted",
    JobState.RUNNING: "running",
    JobState.DONE: "successful",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "dismissed",
}


def summary(spec: ProcessSpec, root: str) -> dict[str, Any]:
    """Return what a list says of a process."""
    return {
        "id": spec.key,
        "title": spec.title,
        "description": spec.summary,
        "keywords": list(spec.keywords),
        "version": spec.version,
        "jobControlOptions": [*(f"{mode}-execute" for mode in spec.modes), "dismiss"],
        "outputTransmission": list(TRANSMISSIONS),
        "links": [link("self", f"{root}/processes/{spec.key}", JSON, spec.title)],
    }


def description(spec: ProcessSpec, root: str) -> dict[str, Any]:
    """Return the whole description of a process."""
    base = f"{root}/processes/{spec.key}"
    return {
        **summary(spec, root),
        "inputs": {name: _put(one, inward=True) for name, one in spec.inputs.items()},
        "outputs": {RESULT: _put(spec.result, inward=False)},
        "links": [link("self", base, JSON, spec.title), link(EXECUTE_REL, f"{base}/execution", JSON, "执行")],
    }


def _put(one: Input, *, inward: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"title": one.title, "description": one.help or one.title, "schema": dict(one.schema)}
    if inward:
        told |= {"minOccurs": int(one.required), "maxOccurs": 1}
    return told


def status_info(run: ProcessRun, root: str) -> dict[str, Any]:
    """Return how far a job is."""
    job = job_of(run)
    state = JobState(job.state)
    told = {
        "processID": run.process,
        "type": "process",
        "jobID": str(run.pk),
        "status": STATUSES[state],
        "message": job.error.get("message") or job.message or state.label,
        "created": _moment(run.made_at),
        "started": _moment(job.started_at),
        "finished": _moment(job.finished_at),
        "updated": _moment(_updated(job, run)),
        "progress": round(100 * job.progress),
        "links": _job_links(run, state, root),
    }
    return {name: value for name, value in told.items() if value is not None}


def _updated(job: Job, run: ProcessRun) -> dt.datetime:
    return job.finished_at or job.heartbeat_at or job.started_at or run.made_at


def _job_links(run: ProcessRun, state: JobState, root: str) -> list[Link]:
    base = f"{root}/jobs/{run.pk}"
    links = [link("self", base, JSON, run.title)]
    if state == JobState.DONE:
        links.append(link(RESULTS_REL, f"{base}/results", JSON, "结果"))
    return links


def result_link(run: ProcessRun, root: str) -> Link:
    """Return the link to the output of a run, named as outputs given by reference are."""
    return {"href": f"{root}/jobs/{run.pk}/results/{RESULT}", "type": run.media_type, "title": run.name}


def exception(kind: str, status: int, title: str, detail: str, instance: str, **more: Any) -> Mapping[str, Any]:
    """Return an exception in the words of the standard; ``kind`` is one it names, or empty."""
    uri = f"{EXCEPTION}{kind}" if kind else "about:blank"
    return {"type": uri, "title": title, "status": status, "detail": detail, "instance": instance, **more}


def _moment(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
