"""Datasets among the layers: what is published for whoever may see it, and the draft for those who edit it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from layers.datasets.attributes import attributes_of
from layers.datasets.models import Audience, Dataset, DatasetVersion, GeometryKind
from layers.datasets.queries import VIEW, version_at
from layers.spec import Attribute, Detail, LayerSpec

PREFIX: Final = "own-"
CLUSTERED_FROM: Final = 2_000
"""So many points are drawn in clusters at small scales."""
_TABLE: Final = """(
  SELECT f.number AS id, f.geom, f.properties, %(dataset_path)s::text AS path FROM datasets_feature f
  WHERE f.dataset_id = %(dataset_id)s AND f.from_revision <= %(dataset_revision)s
    AND (f.to_revision IS NULL OR f.to_revision > %(dataset_revision)s)
)"""


def find_layer(key: str) -> LayerSpec | None:
    """Return the layer of a published dataset that is not retired."""
    if not key.startswith(PREFIX):
        return None
    dataset = Dataset.objects.filter(key=key, retired_at=None).first()
    version = version_at(dataset) if dataset else None
    return layer_of(dataset, version) if dataset and version else None


def every_layer() -> Iterable[LayerSpec]:
    """Yield the layers of all published datasets that are not retired, by title."""
    begun = DatasetVersion.objects.filter(dataset=OuterRef("pk"), from_moment__lte=timezone.now())
    last = begun.order_by("-from_moment", "-number").values("pk")[:1]
    found = list(Dataset.objects.filter(retired_at=None).annotate(version=Subquery(last)).exclude(version=None))
    versions = DatasetVersion.objects.in_bulk([one.version for one in found])
    for dataset in sorted(found, key=lambda one: one.title):
        yield layer_of(dataset, versions[dataset.version])


def layer_of(dataset: Dataset, version: DatasetVersion) -> LayerSpec:
    """Return the layer of a version of a dataset; each version stays readable by it."""
    return _spec(
        dataset, version.revision, version.attributes, f"v{version.number}", version.features, dataset.audience
    )


def draft_layer(dataset: Dataset) -> LayerSpec:
    """Return the layer of a draft: for staff of its region alone, in clusters nowhere; its tiles say the numbers of features."""
    spec = _spec(dataset, dataset.revision, dataset.attributes, f"draft-{dataset.revision}", 0, Audience.STAFF)
    return replace(spec, attributes=(Attribute("number", "编号", "whole", "t.id"), *spec.attributes))


def _spec(
    dataset: Dataset, revision: int, attributes: Sequence[Any], edition: str, features: int, audience: str
) -> LayerSpec:
    staff = audience == Audience.STAFF
    declared = tuple(one.declared() for one in attributes_of(attributes))
    days = [one.name for one in declared if one.kind in ("day", "moment")]
    clustered = dataset.geometry == GeometryKind.POINT and features > CLUSTERED_FROM
    return LayerSpec(
        key=dataset.key, title=dataset.title, geometry=dataset.geometry,  # type: ignore[arg-type]
        table=_TABLE, attributes=declared, details=(Detail(0),), category=dataset.category,
        summary=dataset.summary or f"{dataset.title}，由工作人员整理。", cluster_px=48 if clustered else 0,
        cluster_below=13 if clustered else 0, edition=edition, duty=VIEW if staff else "", path="t.path" if staff else "",
        within=dataset.path if staff else "", home=dataset.path, moment=days[0] if days else "", source=dataset.source,
        parameters={"dataset_id": dataset.pk, "dataset_revision": revision, "dataset_path": dataset.path},
    )  # fmt: skip
