"""Writes of datasets as a whole: made, described, their attributes, published, withdrawn, retired, restored, copied."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden
from geo.scope import Scope
from layers.datasets.attributes import (
    KINDS,
    MOST,
    DatasetAttribute,
    attributes_of,
    choices_typed,
    name_for,
    titled,
)
from layers.datasets.editing import Sent, Step, perform
from layers.datasets.models import Audience, Dataset, DatasetAct, DatasetVersion, GeometryKind
from layers.datasets.provider import PREFIX
from layers.datasets.queries import EDIT, locked, regions_to_own, version_at, version_waiting
from layers.datasets.revisions import Tally, held_now, tally_between
from layers.spec import CATEGORIES

LONGEST_TITLE: Final = 60
LONGEST_SUMMARY: Final = 300
LONGEST_SOURCE: Final = 200
FARTHEST: Final = dt.timedelta(days=730)
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@transaction.atomic
def create_dataset(
    *, title: str, geometry: str, region: str, key: UUID, scope: Scope, summary: str = "", source: str = "",
    category: str = "own", audience: str = Audience.EVERYONE, attributes: Sequence[DatasetAttribute] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Dataset:  # fmt: skip
    """Make an empty dataset that belongs to a region (code) of the scope. Sent twice, it is made once.

    Without ``attributes`` it has a name. Raises ``BadInput`` and ``Forbidden``.
    """
    done = DatasetAct.objects.filter(key=key).select_related("dataset").first()
    if done is not None:
        return done.dataset
    owner = next((one for one in regions_to_own(scope=scope) if one.code == region), None)
    if owner is None or not scope.holds(EDIT):
        raise Forbidden("dataset_region", "请选您管理的区域。")
    if geometry not in GeometryKind.values:
        raise BadInput("dataset_geometry", "请选画点、画线还是画面。", fields={"geometry": "请选一种。"})
    about = _about(title=title, summary=summary, source=source, category=category, audience=audience)
    kept = [one.kept() for one in (attributes if attributes is not None else [_name()])]
    dataset = Dataset.objects.create(
        key=_new_key(), geometry=geometry, region_id=owner.region_id, path=owner.path, attributes=kept,
        names=[one["name"] for one in kept], revision=1, recipe=dict(recipe or {}), made_by=scope.actor,
        changed_by=scope.actor, **about,
    )  # fmt: skip
    _keep(dataset, "create", f"新建了图层“{dataset.title}”", scope, key)
    return dataset


@transaction.atomic
def describe(sent: Sent, *, title: str, summary: str, source: str, category: str, audience: str) -> Dataset:
    """Say what a dataset is called, what it is about, and who may see what is published. Raises ``BadInput``, ``Conflict``."""
    dataset = _writable(sent)
    if DatasetAct.objects.filter(key=sent.key).exists():
        return dataset
    since = DatasetAct.objects.filter(dataset=dataset, act="about", revision__gt=sent.seen).first()
    if since is not None:
        raise Conflict("dataset_changed", f"您编辑期间，{since.made_by} 刚才改了图层说明。请核对现在的内容再保存。")
    about = _about(title=title, summary=summary, source=source, category=category, audience=audience)
    if dataset.recipe.get("restricted") and about["audience"] == Audience.EVERYONE:
        said = "来源图层只给工作人员看，这个图层不能公开。"
        raise BadInput("dataset_restricted", said, fields={"audience": said})
    changed = [name for name, value in about.items() if getattr(dataset, name) != value]
    if not changed:
        return dataset
    for name, value in about.items():
        setattr(dataset, name, value)
    dataset.revision += 1
    dataset.changed_by = sent.scope.actor
    dataset.save()
    _keep(dataset, "about", f"改了图层的{'、'.join(_SAID[name] for name in changed)}", sent.scope, sent.key)
    return dataset


def add_attribute(sent: Sent, *, title: str, kind: str, required: bool = False, choices: str = "") -> DatasetAct | None:
    """Add an attribute to the draft. Raises ``BadInput``."""

    def work(step: Step) -> None:
        if len(step.dataset.attributes) >= MOST:
            raise BadInput("attributes_many", f"一个图层最多 {MOST} 个字段。")
        if kind not in KINDS:
            raise BadInput("attribute_kind", "请选字段的类型。", fields={"kind": "请选一种。"})
        named = _unlike(step.dataset, titled(title), "")
        listed = choices_typed(choices) if kind == "text" else ()
        new = DatasetAttribute(name_for(named, step.dataset.names), named, kind, required, listed)  # type: ignore[arg-type]
        step.attributes, step.said = [*step.dataset.attributes, new.kept()], f"新增了字段“{named}”"

    return perform(sent, "attributes", work)


def change_attribute(
    sent: Sent, *, name: str, title: str, required: bool, choices: str, place: int
) -> DatasetAct | None:
    """Give an attribute another title, other choices, another place; its name and kind stay."""

    def work(step: Step) -> None:
        _check_attributes_unchanged(step.dataset, sent)
        attributes = attributes_of(step.dataset.attributes)
        at, old = _attribute(attributes, name)
        new = DatasetAttribute(
            old.name, _unlike(step.dataset, titled(title), name), old.kind, required,
            choices_typed(choices) if old.kind == "text" else (),
        )  # fmt: skip
        rest = [*attributes[:at], *attributes[at + 1 :]]
        rest.insert(max(0, min(place, len(rest))), new)
        if [one.kept() for one in rest] != step.dataset.attributes:
            step.attributes = [one.kept() for one in rest]
        step.said = f"字段“{old.title}”改为“{new.title}”" if new.title != old.title else f"改了字段“{old.title}”"

    return perform(sent, "attributes", work)


def remove_attribute(sent: Sent, *, name: str) -> DatasetAct | None:
    """Take an attribute away; what features said under it comes back when that is undone."""

    def work(step: Step) -> None:
        _check_attributes_unchanged(step.dataset, sent)
        attributes = attributes_of(step.dataset.attributes)
        at, old = _attribute(attributes, name)
        step.attributes = [one.kept() for one in (*attributes[:at], *attributes[at + 1 :])]
        step.said = f"删除了字段“{old.title}”"

    return perform(sent, "attributes", work)


def filled(dataset: Dataset) -> dict[str, int]:
    """Return how many features of the draft say something under each attribute: what removing it would lose."""
    names = [one["name"] for one in dataset.attributes]
    if not names:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE properties ? '{name}')" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counts} FROM datasets_feature WHERE dataset_id = %s AND to_revision IS NULL", [dataset.pk]
        )
        return dict(zip(names, cursor.fetchone(), strict=True))


@transaction.atomic
def publish(sent: Sent, *, note: str = "", from_moment: dt.datetime | None = None) -> DatasetVersion:
    """Publish the draft as it was ``seen``, now or from a moment, as a version that never changes.

    Raises ``Conflict`` when the draft changed since, has nothing new, or another version waits; ``BadInput`` for the moment.
    """
    dataset = _writable(sent)
    done = DatasetVersion.objects.filter(key=sent.key).first()
    if done is not None:
        return done
    now = timezone.now()
    begins = from_moment or now
    if begins < now - dt.timedelta(minutes=1) or begins > now + FARTHEST:
        raise BadInput("moment_range", "生效时间请选在现在以后、两年以内。", fields={"from_moment": "请核对时间。"})
    if dataset.revision != sent.seen:
        raise Conflict(
            "dataset_changed", "打开这一页以后草稿又有改动。请看过最新的内容再发布。", newest=dataset.revision
        )
    if version_waiting(dataset) is not None:
        raise Conflict("version_waiting", "已有一版在等定时生效。请先取消它，再发布这一版。")
    last = DatasetVersion.objects.filter(dataset=dataset).first()
    if last is not None and not unpublished(dataset, last):
        raise Conflict("version_same", f"草稿和第 {last.number} 版一样，没有可以发布的改动。")
    return DatasetVersion.objects.create(
        dataset=dataset, key=sent.key, number=(last.number if last else 0) + 1, revision=dataset.revision,
        attributes=dataset.attributes, note=" ".join(note.split())[:200], features=held_now(dataset).count(),
        from_moment=max(begins, now), made_by=sent.scope.actor,
    )  # fmt: skip


@transaction.atomic
def withdraw(sent: Sent, *, number: int) -> None:
    """Take back a version that has not begun. Raises ``Conflict`` for one that has."""
    dataset = _writable(sent)
    gone, _ = DatasetVersion.objects.filter(dataset=dataset, number=number, from_moment__gt=timezone.now()).delete()
    if not gone:
        raise Conflict("version_begun", "这一版已经生效，不能取消。可以恢复到以前的版本再发布。")


def unpublished(dataset: Dataset, version: DatasetVersion | None = None) -> bool:
    """Say whether the draft differs from a version, the one that counts by default."""
    version = version or version_at(dataset)
    if version is None:
        return True
    if version.revision == dataset.revision:
        return False
    return version.attributes != dataset.attributes or bool(
        tally_between(dataset, before=version.revision, after=dataset.revision)
    )


@transaction.atomic
def retire(sent: Sent) -> Dataset:
    """Let a dataset be on no map any more; its versions and draft are kept."""
    return _retired(sent, timezone.now(), "retire", "停用了图层")


@transaction.atomic
def restore_dataset(sent: Sent) -> Dataset:
    """Let a retired dataset be on the map again, as it was published last."""
    return _retired(sent, None, "restore", "恢复了图层")


@transaction.atomic
def copy_dataset(sent: Sent, *, title: str) -> Dataset:
    """Make another dataset with what the draft of one holds now. Sent twice, it is made once."""
    dataset = locked(sent.dataset, scope=sent.scope)
    done = DatasetAct.objects.filter(key=sent.key).select_related("dataset").first()
    if done is not None:
        return done.dataset
    about = _about(
        title=title,
        summary=dataset.summary,
        source=dataset.source,
        category=dataset.category,
        audience=dataset.audience,
    )
    copy = Dataset.objects.create(
        key=_new_key(), geometry=dataset.geometry, region_id=dataset.region_id, path=dataset.path,
        attributes=dataset.attributes, names=dataset.names, recipe=dataset.recipe, revision=1,
        next_feature=dataset.next_feature,
        made_by=sent.scope.actor, changed_by=sent.scope.actor, **about,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets_feature (dataset_id, number, from_revision, geom, properties, origin) "
            "SELECT %s, number, 1, geom, properties, origin FROM datasets_feature WHERE dataset_id = %s AND to_revision IS NULL",
            [copy.pk, dataset.pk],
        )
        tally = Tally(added=cursor.rowcount)
    _keep(copy, "create", f"从“{dataset.title}”复制", sent.scope, sent.key, tally)
    return copy


def _retired(sent: Sent, moment: dt.datetime | None, act: str, said: str) -> Dataset:
    dataset = locked(sent.dataset, scope=sent.scope)
    if (dataset.retired_at is None) == (moment is None):
        return dataset
    dataset.retired_at, dataset.changed_by = moment, sent.scope.actor
    dataset.revision += 1
    dataset.save()
    _keep(dataset, act, f"{said}“{dataset.title}”", sent.scope, sent.key)
    return dataset


def _writable(sent: Sent) -> Dataset:
    dataset = locked(sent.dataset, scope=sent.scope)
    if dataset.retired_at is not None:
        raise Conflict("dataset_retired", "这个图层已停用。要改它，请先恢复。")
    return dataset


def _keep(dataset: Dataset, act: str, said: str, scope: Scope, key: UUID, tally: Tally | None = None) -> None:
    counts = tally or Tally()
    DatasetAct.objects.create(
        key=key, dataset=dataset, revision=dataset.revision, act=act, said=said[:200], attributes=dataset.attributes,
        added=counts.added, changed=counts.changed, gone=counts.gone, made_by=scope.actor,
    )  # fmt: skip


def _about(*, title: str, summary: str, source: str, category: str, audience: str) -> dict[str, str]:
    said = {"title": " ".join(title.split()), "summary": " ".join(summary.split()), "source": " ".join(source.split())}
    faults: dict[str, str] = {}
    if not 0 < len(said["title"]) <= LONGEST_TITLE:
        faults["title"] = f"请写图层名称，最多 {LONGEST_TITLE} 个字。"
    for name, longest in (("summary", LONGEST_SUMMARY), ("source", LONGEST_SOURCE)):
        if len(said[name]) > longest:
            faults[name] = f"最多 {longest} 个字。"
    if category not in CATEGORIES:
        faults["category"] = "请选一个分类。"
    if audience not in Audience.values:
        faults["audience"] = "请选谁能看。"
    if faults:
        raise BadInput("dataset_about", "有几项没有填对，请看标出来的地方。", fields=faults)
    return {**said, "category": category, "audience": audience}


def _attribute(attributes: Sequence[DatasetAttribute], name: str) -> tuple[int, DatasetAttribute]:
    found = next(((at, one) for at, one in enumerate(attributes) if one.name == name), None)
    if found is None:
        raise Conflict("attribute_gone", "这个字段已被删除。请刷新；删错了可以撤销。")
    return found


def _check_attributes_unchanged(dataset: Dataset, sent: Sent) -> None:
    since = DatasetAct.objects.filter(dataset=dataset, revision__gt=sent.seen).order_by("revision")
    before = DatasetAct.objects.filter(dataset=dataset, revision__lte=sent.seen).order_by("-revision").first()
    if before is None or before.attributes == dataset.attributes:
        return
    other = next((act for act in since if act.attributes != before.attributes), None)
    who = f"{other.made_by} 刚才{other.said}" if other else "字段刚才有改动"
    raise Conflict("attributes_changed", f"您编辑期间，{who}。请核对现在的字段再保存。")


def _unlike(dataset: Dataset, title: str, name: str) -> str:
    if any(one["title"] == title and one["name"] != name for one in dataset.attributes):
        raise BadInput("attribute_twice", f"已经有叫“{title}”的字段，请换个名称。", fields={"title": "名称重复。"})
    return title


def _name() -> DatasetAttribute:
    return DatasetAttribute("mingcheng", "名称", "text", required=True)


def _new_key() -> str:
    return PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(8))


_SAID: Final = {"title": "名称", "summary": "说明", "source": "来源", "category": "分类", "audience": "谁能看"}
