"""Acts on the features of a draft: added, changed, deleted, many at once, taken back and done again.

Each act is sent with the revision that was seen and a key: sent twice it is done once; what somebody else changed since is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict
from geo.scope import Scope
from layers.datasets.attributes import attributes_of, shown, value_of, values_of
from layers.datasets.models import Dataset, DatasetAct, Feature
from layers.datasets.queries import check_unchanged, feature_now, locked, steps, version_seen
from layers.datasets.revisions import Tally, held_now, restore
from layers.datasets.shapes import noun_of, sound

MOST_FEATURES: Final = 300_000
MOST_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sent:
    """What every act comes with: the key of the dataset, the revision that was seen, a key of its own, and who acts."""

    dataset: str
    seen: int
    key: UUID
    scope: Scope


@dataclass(slots=True)
class Step:
    """A revision in the making: the locked dataset, the number it will have, and what it has done so far."""

    dataset: Dataset
    revision: int
    tally: Tally = field(default_factory=Tally)
    said: str = ""
    attributes: list[dict[str, Any]] | None = None
    undoes: DatasetAct | None = None

    def end(self, rows: Sequence[Feature]) -> None:
        """Let rows end with this revision."""
        Feature.objects.filter(pk__in=[row.pk for row in rows]).update(to_revision=self.revision)

    def begin(self, rows: Sequence[Feature]) -> None:
        """Let new rows begin with this revision."""
        for row in rows:
            row.pk, row._state.adding, row.from_revision, row.to_revision = None, True, self.revision, None
        Feature.objects.bulk_create(rows, batch_size=2_000)

    def take_numbers(self, count: int) -> int:
        """Return the first of some numbers for new features. Raises ``BadInput`` when there would be too many."""
        if held_now(self.dataset).count() + count > MOST_FEATURES:
            raise BadInput("features_many", f"一个图层最多 {MOST_FEATURES:,} 个要素，请分成几个图层。")
        first = self.dataset.next_feature
        self.dataset.next_feature += count
        return first


Work = Callable[[Step], None]


@transaction.atomic
def perform(sent: Sent, act: str, work: Work) -> DatasetAct | None:
    """Do one act on a dataset and keep it; ``None`` when it changes nothing. An act whose key was sent before is returned."""
    dataset = locked(sent.dataset, scope=sent.scope)
    done = DatasetAct.objects.filter(key=sent.key, dataset=dataset).first()
    if done is not None:
        return done
    if dataset.retired_at is not None:
        raise Conflict("dataset_retired", "这个图层已停用。要改它，请先恢复。")
    step = Step(dataset, dataset.revision + 1)
    work(step)
    if not step.tally and step.attributes is None:
        return None
    if step.attributes is not None:
        dataset.attributes = step.attributes
        dataset.names = sorted({*dataset.names, *(one["name"] for one in step.attributes)})
    dataset.revision, dataset.changed_by = step.revision, sent.scope.actor
    dataset.save()
    return DatasetAct.objects.create(
        key=sent.key, dataset=dataset, revision=step.revision, act=act, said=step.said[:200], attributes=dataset.attributes,
        added=step.tally.added, changed=step.tally.changed, gone=step.tally.gone, undoes=step.undoes,
        made_by=sent.scope.actor,
    )  # fmt: skip


def add_feature(sent: Sent, *, shape: BaseGeometry, said: Mapping[str, Any], mend: bool = False) -> DatasetAct | None:
    """Add a feature (CGCS2000 degrees) with what a form says of it. Raises ``BadInput``."""

    def work(step: Step) -> None:
        whole = sound(shape, step.dataset.geometry, mend=mend)
        values = values_of(attributes_of(step.dataset.attributes), said)
        number = step.take_numbers(1)
        step.begin([Feature(dataset=step.dataset, number=number, geom=stored(whole), properties=values)])
        step.tally, step.said = Tally(added=1), f"新增了{named(step.dataset, number, values)}"

    return perform(sent, "add", work)


def change_feature(
    sent: Sent, *, number: int, shape: BaseGeometry | None, said: Mapping[str, Any] | None, mend: bool = False
) -> DatasetAct | None:
    """Give a feature another shape (CGCS2000 degrees), other values, or both; what is ``None`` stays."""

    def work(step: Step) -> None:
        row = feature_now(step.dataset, number)
        check_unchanged(step.dataset, seen=sent.seen, rows=[row])
        values, geom = row.properties, row.geom
        if said is not None:
            attributes = attributes_of(step.dataset.attributes)
            unlisted = {name: value for name, value in values.items() if name not in {one.name for one in attributes}}
            values = unlisted | values_of(attributes, said)
        if shape is not None:
            geom = stored(sound(shape, step.dataset.geometry, mend=mend))
        moved = geom.wkb != row.geom.wkb
        if not moved and values == row.properties:
            return
        step.end([row])
        step.begin([Feature(dataset=step.dataset, number=number, geom=geom, properties=values, origin=row.origin)])
        what = "图形" if moved and values == row.properties else "内容" if not moved else "图形和内容"
        step.tally, step.said = Tally(changed=1), f"改了{named(step.dataset, number, values)}的{what}"

    return perform(sent, "change", work)


def delete_features(sent: Sent, *, numbers: Sequence[int]) -> DatasetAct | None:
    """Delete features. Those that are gone already are passed over."""

    def work(step: Step) -> None:
        rows = _chosen(step.dataset, numbers, sent.seen)
        step.end(rows)
        one = named(step.dataset, rows[0].number, rows[0].properties) if len(rows) == 1 else ""
        step.tally, step.said = Tally(gone=len(rows)), f"删除了{one or f' {len(rows):,} 个要素'}"

    return perform(sent, "delete", work)


def change_many(sent: Sent, *, numbers: Sequence[int], name: str, value: str) -> DatasetAct | None:
    """Let features say one value of one attribute; '' takes it away. Raises ``BadInput``."""

    def work(step: Step) -> None:
        attribute = next((one for one in attributes_of(step.dataset.attributes) if one.name == name), None)
        if attribute is None:
            raise BadInput("attribute_unknown", "没有这个字段，请刷新页面后再选。")
        fit = value_of(attribute, value)
        if fit is None and attribute.required:
            raise BadInput("value_missing", f"“{attribute.title}”必填，不能清空。")
        rows = [row for row in _chosen(step.dataset, numbers, sent.seen) if row.properties.get(name) != fit]
        step.end(rows)
        for row in rows:
            row.properties = {key: kept for key, kept in row.properties.items() if key != name}
            row.properties |= {} if fit is None else {name: fit}
        step.begin(rows)
        step.tally = Tally(changed=len(rows))
        step.said = f"把 {len(rows):,} 个要素的“{attribute.title}”改成“{shown(attribute, fit)}”"

    return perform(sent, "bulk", work)


def undo(sent: Sent, *, act_id: int) -> DatasetAct | None:
    """Take back the last act on a draft, whoever did it. Raises ``Conflict`` when that is another one by now."""

    def work(step: Step) -> None:
        last, _ = steps(step.dataset)
        if last is None or last.pk != act_id:
            raise Conflict("undo_moved", "在您之后又有改动，或这一步已经撤销过。请看“改动记录”，再从最后一步撤销起。")
        _return_to(step, last.revision - 1)
        step.undoes, step.said = last, f"撤销“{last.said}”"

    return perform(sent, "undo", work)


def redo(sent: Sent, *, act_id: int) -> DatasetAct | None:
    """Do again the act that was taken back last. Raises ``Conflict`` when that is another one by now."""

    def work(step: Step) -> None:
        _, again = steps(step.dataset)
        if again is None or again.pk != act_id:
            raise Conflict("redo_moved", "在您之后又有改动，这一步不能重做了。")
        _return_to(step, again.revision)
        step.undoes, step.said = again, f"重做“{again.said}”"

    return perform(sent, "redo", work)


def roll_back(sent: Sent, *, number: int) -> DatasetAct | None:
    """Let the draft hold what a published version held; it counts when that is published.

    Raises ``Conflict`` when the draft holds that already.
    """

    def work(step: Step) -> None:
        version = version_seen(step.dataset, number)
        _return_to(step, version.revision)
        if not step.tally and version.attributes == step.dataset.attributes:
            raise Conflict("version_same", f"草稿和第 {number} 版一样，不用恢复。")
        step.said = f"恢复到第 {number} 版"

    return perform(sent, "back", work)


def _return_to(step: Step, revision: int) -> None:
    """Let the draft hold what it held at a revision, attributes too."""
    step.tally = restore(step.dataset, target=revision, at=step.revision)
    before = DatasetAct.objects.filter(dataset=step.dataset, revision__lte=revision).order_by("-revision").first()
    step.attributes = before.attributes if before else []


def _chosen(dataset: Dataset, numbers: Sequence[int], seen: int) -> list[Feature]:
    if not 0 < len(numbers) <= MOST_AT_ONCE:
        raise BadInput("features_chosen", f"请先勾选要素，一次最多 {MOST_AT_ONCE:,} 个。")
    rows = list(held_now(dataset).filter(number__in=numbers).order_by("number"))
    if not rows:
        raise Conflict("features_gone", "选的要素已被别人删除。请刷新；删错了可以撤销。")
    check_unchanged(dataset, seen=seen, rows=rows)
    return rows


def named(dataset: Dataset, number: int, values: Mapping[str, Any]) -> str:
    """Return what people call a feature: its first text, else its number."""
    texts = (values.get(one["name"]) for one in dataset.attributes if one["kind"] == "text")
    said = next((text for text in texts if text), None)
    return f"“{str(said)[:40]}”" if said else f" {number} 号{noun_of(dataset.geometry)}"


def stored(shape: BaseGeometry) -> GEOSGeometry:
    """Return a shape as rows keep it."""
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=CGCS2000)
