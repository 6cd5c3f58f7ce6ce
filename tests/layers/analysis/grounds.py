"""Layers of many features laid out on the city's plane so that every answer is plain arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import orjson
import shapely
from django.test import Client

from geo.crs import CITIES
from geo.geometry import from_plane, to_plane
from geo.jobs.actions import run_job
from geo.scope import Scope
from layers.datasets.actions import create_dataset, publish
from layers.datasets.arriving import Arrival, Matching, take_in
from layers.datasets.attributes import DatasetAttribute
from layers.datasets.editing import Sent
from layers.processes.models import ProcessRun
from layers.processes.queries import job_of

CITY = CITIES["shanghai"]
KEEPER = Scope(paths=("310000.",), duties=frozenset({"layers.view", "layers.edit"}), actor="shi")
FIELDS = (DatasetAttribute("mingcheng", "名称", "text"), DatasetAttribute("shu", "数量", "whole"))


def grid(wide: int, tall: int, step: float) -> npt.NDArray[np.float64]:
    """Return the lower left corners (metres) of a grid, row by row."""
    return np.stack(np.meshgrid(np.arange(wide) * step, np.arange(tall) * step), -1).reshape(-1, 2)


def squares(corners: npt.NDArray[np.float64], size: float) -> Any:
    return shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + size, corners[:, 1] + size)


def laid(title: str, geometry: str, shapes: Any, *, numbers: Sequence[int] = (), **more: Any) -> str:
    """Publish a layer of shapes (metres on the plane); each is called by its place from 1. Return its key."""
    given = {"region": "310000", "scope": KEEPER, **more}
    dataset = create_dataset(title=title, geometry=geometry, key=uuid4(), attributes=FIELDS, **given)
    stored = shapely.to_wkb(from_plane(np.asarray(shapes, dtype=object), CITY), byte_order=1)
    arrivals = [
        Arrival(bytes(shape), {"mingcheng": f"{at}号", "shu": numbers[at - 1] if len(numbers) else at})
        for at, shape in enumerate(stored, 1)
    ]
    scope = given["scope"]
    take_in(Sent(dataset.key, 1, uuid4(), scope), arrivals=arrivals, matching=Matching(), said="测试")
    publish(Sent(dataset.key, 2, uuid4(), scope))
    return dataset.key


def executed(client: Client, process: str, inputs: dict[str, Any], *, prefer: str = "respond-async") -> Any:
    """Execute a process over HTTP and return the answer."""
    return client.post(
        f"/ogc/processes/{process}/execution", {"inputs": inputs}, content_type="application/json", headers={"prefer": prefer}
    )  # fmt: skip


def worked(client: Client, process: str, inputs: dict[str, Any]) -> ProcessRun:
    """Let a process run as a job, to its end, and return the run."""
    answer = executed(client, process, inputs)
    assert answer.status_code == 201, answer.content.decode()
    run = ProcessRun.objects.get(pk=answer.json()["jobID"])
    run_job(job_id=job_of(run).pk)
    return ProcessRun.objects.get(pk=run.pk)


def found(client: Client, run: ProcessRun) -> list[dict[str, Any]]:
    """Return what the features say that a run made, as the API gives them, and their shapes in metres under ``plane``."""
    told = client.get(f"/ogc/jobs/{run.pk}")
    assert told.json()["status"] == "successful", told.content.decode()
    answer = client.get(f"/ogc/jobs/{run.pk}/results")
    body = b"".join(answer.streaming_content)
    shapes = to_plane(shapely.get_parts(shapely.from_geojson(body.decode())), CITY)
    said = [one["properties"] for one in orjson.loads(body)["features"]]
    return [{"properties": each, "plane": shape} for each, shape in zip(said, shapes, strict=True)]
