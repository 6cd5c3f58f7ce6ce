"""The result of an analysis kept as a layer: a dataset of its own, written whole in one transaction, never seen by more people
than what it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np
import shapely
from django.db import transaction

from geo.errors import BadInput, CityError, Forbidden
from geo.geometry import areas_m2, lengths_m
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers.analysis.queries import analysis_of
from layers.analysis.sources import result_pieces
from layers.datasets.actions import create_dataset
from layers.datasets.arriving import Arrival, Matching, take_in
from layers.datasets.attributes import LONGEST_TEXT, LONGEST_TITLE, MOST, DatasetAttribute, name_for, value_of
from layers.datasets.editing import Sent
from layers.datasets.models import Audience, Dataset
from layers.datasets.queries import EDIT, VIEW, regions_to_own
from layers.datasets.shapes import GRAIN_M, SHAPE_LIMITS, sound
from layers.processes.features import city_of
from layers.processes.models import ProcessRun
from layers.registry import layer

LONGEST_SUMMARY: Final = 300


def is_closed(run: ProcessRun, *, scope: Scope) -> bool:
    """Say whether something a result is made of is not everybody's."""
    return not all(layer(key, scope=scope).public for key in run.layers)


def regions_for(run: ProcessRun, *, scope: Scope) -> list[RegionVersion]:
    """Return the regions a layer of a result may belong to: of a closed one, those whose staff may see all of it."""
    found = regions_to_own(scope=scope)
    if not is_closed(run, scope=scope):
        return found
    return [one for one in found if all(path.startswith(one.path) or path == "" for path in run.paths)]


def check_savable(run: ProcessRun, *, scope: Scope) -> None:
    """Raise ``BadInput`` for a result that no layer can hold: nothing in it, or rows that a duty of their own guards."""
    if not run.rows:
        raise BadInput("result_empty", "结果里没有要素，不用存。")
    guarded = [spec for key in run.layers if (spec := layer(key, scope=scope)).duty not in ("", VIEW)]
    if guarded:
        said = "、".join(one.title for one in guarded)
        raise BadInput("result_guarded", f"“{said}”只给有专门权限的人看，结果不能存成图层。可以下载。")


@transaction.atomic
def save_result(
    *, run_id: UUID, title: str, region: str, audience: str, key: UUID, scope: Scope, step: Any = None
) -> Dataset:
    """Keep a result as a dataset of a region (code), unpublished; sent twice, it is made once.

    ``step`` is told the share done and raises when it is to stop. Raises ``Forbidden``, ``BadInput``, and what
    ``analysis_of`` raises.
    """
    run = analysis_of(run_id=run_id, scope=scope)
    check_savable(run, scope=scope)
    if not scope.holds(EDIT) or region not in {one.code for one in regions_for(run, scope=scope)}:
        raise Forbidden("dataset_region", "请选您管理的、看得到全部结果的区域。")
    closed = is_closed(run, scope=scope)
    attributes, becomes = _attributes(run)
    dataset = create_dataset(
        title=title, geometry=run.about["geometry"], region=region, key=key, scope=scope, summary=said_of_run(run),
        source="空间分析", audience=Audience.STAFF if closed else audience, attributes=attributes,
        recipe={"lineage": run.about["lineage"], "run": str(run.pk), "restricted": closed},
    )  # fmt: skip
    if dataset.revision > 1:
        return dataset
    arrivals, left = _arrivals(run, becomes, scope, step)
    take_in(
        Sent(dataset.key, dataset.revision, uuid5(key, "rows"), scope), arrivals=arrivals, matching=Matching(),
        said="空间分析的结果" + (f"（{left:,} 个太小或太细，没有存）" if left else ""), act="refresh",
    )  # fmt: skip
    dataset.refresh_from_db()
    return dataset


def said_of_run(run: ProcessRun) -> str:
    """Return in a sentence what a result was made of and how."""
    lineage = run.about["lineage"]
    sides = "；".join(
        one["title"] + (f"（{one['taken']}）" if one["taken"] else "") + _version(one["edition"])
        for one in lineage["sides"]
    )
    return f"{lineage['operation']}：{lineage['said']}。用了 {sides}。{lineage['made'][:16].replace('T', ' ')}"[
        :LONGEST_SUMMARY
    ]


def _version(edition: str) -> str:
    """Return an edition as people read it: the version of a dataset; what the edition of other layers is says them nothing."""
    return f" 第 {edition[1:]} 版" if edition.startswith("v") and edition[1:].isdigit() else ""


def _attributes(run: ProcessRun) -> tuple[list[DatasetAttribute], dict[str, DatasetAttribute]]:
    """Return the attributes of the dataset, and by the names of the result those they become."""
    found: list[DatasetAttribute] = []
    becomes: dict[str, DatasetAttribute] = {}
    for one in run.about["fields"][:MOST]:
        title = _unlike(" ".join(one["title"].split())[:LONGEST_TITLE] or one["name"][:LONGEST_TITLE], found)
        own = DatasetAttribute(name_for(title, {each.name for each in found}), title, one["kind"])
        found.append(own)
        becomes[one["name"]] = own
    return found, becomes


def _unlike(title: str, found: list[DatasetAttribute]) -> str:
    taken = {one.title for one in found}
    tries = (title if nth == 1 else f"{title[: LONGEST_TITLE - 4]} {nth}" for nth in range(1, MOST + 2))
    return next(one for one in tries if one not in taken)


def _arrivals(
    run: ProcessRun, becomes: Mapping[str, DatasetAttribute], scope: Scope, step: Any
) -> tuple[list[Arrival], int]:
    """Return the features of a result as a dataset takes them, and how many it cannot hold."""
    found: list[Arrival] = []
    left = 0
    for piece in result_pieces(run, scope):
        for shape, said in zip(_kept(piece.shapes, run.about["geometry"]), piece.properties, strict=True):
            if shape is None:
                left += 1
            else:
                found.append(Arrival(shape, _values(said, becomes)))
        if step is not None:
            step(0.6 * (len(found) + left) / run.rows, f"已读 {len(found):,} 个")
    return found, left


def _kept(shapes: Any, kind: str) -> list[bytes | None]:
    """Return shapes as a dataset keeps them, ``None`` for one it does not; most are sound and are measured all at once."""
    size = {"point": np.ones(len(shapes)), "line": None, "polygon": None}[kind]
    if size is None:
        size = (lengths_m if kind == "line" else areas_m2)(shapes, city_of())
    plain = (
        shapely.is_valid(shapes) & (size >= GRAIN_M) & (shapely.get_num_coordinates(shapes) <= SHAPE_LIMITS.vertices)
    )
    wanted = {"point": ("Point",), "line": ("MultiLineString",), "polygon": ("MultiPolygon",)}[kind]
    found: list[bytes | None] = []
    for shape, sure in zip(shapes, plain, strict=True):
        if not (sure and shape.geom_type in wanted):
            try:
                shape = sound(shape, kind, mend=True)
            except CityError:
                found.append(None)
                continue
        found.append(bytes(shapely.to_wkb(shape, byte_order=1)))
    return found


def _values(said: Mapping[str, Any], becomes: Mapping[str, DatasetAttribute]) -> dict[str, Any]:
    values = {}
    for name, attribute in becomes.items():
        value = said.get(name)
        if isinstance(value, str):
            value = value[:LONGEST_TEXT]
        try:
            kept = value_of(attribute, value)
        except CityError:  # what one feature said otherwise than the field is
            continue
        if kept is not None:
            values[attribute.name] = kept
    return values
