"""Short ways to make datasets in tests."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import shapely
from shapely.geometry.base import BaseGeometry

from geo.scope import Scope
from layers.datasets.actions import create_dataset
from layers.datasets.attributes import DatasetAttribute
from layers.datasets.editing import Sent
from layers.datasets.models import Dataset
from layers.datasets.revisions import held_at, held_now

DISTRICT = "310101"
PATH = "310000.310101."
LON, LAT = 121.4737, 31.2304
EDITOR = Scope(paths=(PATH,), duties=frozenset({"layers.view", "layers.edit"}), actor="张三")
OTHER = Scope(paths=(PATH,), duties=frozenset({"layers.view", "layers.edit"}), actor="李四")
ELSEWHERE = Scope(paths=("310000.310110.",), duties=frozenset({"layers.view", "layers.edit"}), actor="王五")
ATTRIBUTES = (
    DatasetAttribute("mingcheng", "名称", "text"),
    DatasetAttribute("leixing", "类型", "text", choices=("木", "石")),
    DatasetAttribute("zuowei", "座位", "whole"),
    DatasetAttribute("anzhuang", "安装日期", "day"),
)


def made(geometry: str = "point", **more: Any) -> Dataset:
    """Make a dataset of benches in 黄浦."""
    given = {"title": "长椅", "geometry": geometry, "region": DISTRICT, "attributes": ATTRIBUTES, "scope": EDITOR}
    return create_dataset(key=uuid4(), **{**given, **more})


def sent(dataset: Dataset, scope: Scope = EDITOR, seen: int | None = None) -> Sent:
    """Return what an act on a dataset comes with, as of now."""
    dataset.refresh_from_db()
    return Sent(dataset.key, dataset.revision if seen is None else seen, uuid4(), scope)


def point(east: int = 0, north: int = 0) -> BaseGeometry:
    """Return a point some steps of about 100 m from the middle of the city."""
    return shapely.Point(LON + east * 0.001, LAT + north * 0.001)


def square(east: int = 0, north: int = 0) -> BaseGeometry:
    return shapely.box(LON + east * 0.001, LAT + north * 0.001, LON + (east + 1) * 0.001, LAT + (north + 1) * 0.001)


def state(dataset: Dataset, revision: int | None = None) -> str:
    """Return everything a dataset holds now, or held at a revision, as a text that can be compared."""
    dataset.refresh_from_db()
    rows = held_now(dataset) if revision is None else held_at(dataset, revision)
    told = [(row.number, row.geom.hex.decode(), row.properties, row.origin) for row in rows.order_by("number")]
    return json.dumps([told, dataset.attributes if revision is None else None], sort_keys=True, ensure_ascii=False)
