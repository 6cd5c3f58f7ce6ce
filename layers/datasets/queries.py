"""Reads of datasets: which there are, one of them, its features, acts and versions, and what counts now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import Conflict, Forbidden, NotFound
from geo.regions.models import Level, RegionVersion
from geo.regions.queries import versions_of
from geo.scope import Scope
from layers.datasets.models import Dataset, DatasetAct, DatasetImport, DatasetVersion, Feature
from layers.datasets.revisions import held_now

VIEW: Final = "layers.view"
EDIT: Final = "layers.edit"
UNDOABLE: Final = ("add", "change", "delete", "bulk", "attributes", "import", "refresh", "back")


def datasets_visible(*, scope: Scope) -> QuerySet[Dataset]:
    """Return the datasets that a scope may see at the desk: those of its regions, with the duty."""
    if not scope.holds(VIEW):
        return Dataset.objects.none()
    under = Q(pk__in=[])
    for path in scope.paths:
        under |= Q(path__startswith=path)
    return Dataset.objects.filter(under)


def dataset_seen(key: str, *, scope: Scope, duty: str = VIEW) -> Dataset:
    """Return a dataset. Raises ``NotFound``, also for one of other regions; ``Forbidden`` without the duty for it."""
    found = datasets_visible(scope=scope).filter(key=key).first()
    if found is None:
        raise NotFound("dataset_unknown", "没有找到这个图层。请从图层列表进入。")
    check_edit(found, scope=scope, duty=duty)
    return found


def locked(key: str, *, scope: Scope) -> Dataset:
    """Return a dataset to be written, locked. Raises what ``dataset_seen`` raises; ``Conflict`` for a retired one."""
    found = datasets_visible(scope=scope).select_for_update().filter(key=key).first()
    if found is None:
        raise NotFound("dataset_unknown", "没有找到这个图层。请从图层列表进入。")
    check_edit(found, scope=scope, duty=EDIT)
    return found


def check_edit(dataset: Dataset, *, scope: Scope, duty: str) -> None:
    """Raise ``Forbidden`` unless a scope holds a duty over a dataset's region."""
    if not (scope.holds(duty) and scope.covers_path(dataset.path)):
        raise Forbidden("dataset_duty", "您的账号不能改这个图层。请联系所属区域的管理员。")


def may_edit(dataset: Dataset, *, scope: Scope) -> bool:
    """Say whether a scope may change a dataset."""
    return scope.holds(EDIT) and scope.covers_path(dataset.path) and dataset.retired_at is None


def regions_to_own(*, scope: Scope) -> list[RegionVersion]:
    """Return the regions that a new dataset of this scope may belong to: the city, districts and streets, coarse first."""
    found = versions_of(scope=scope).filter(level__in=(Level.CITY, Level.DISTRICT, Level.STREET))
    return [one for one in found if scope.covers_path(one.path)]


def version_at(dataset: Dataset, at: dt.datetime | None = None) -> DatasetVersion | None:
    """Return the version that counts at a moment, now by default."""
    begun = DatasetVersion.objects.filter(dataset=dataset, from_moment__lte=at or timezone.now())
    return begun.order_by("-from_moment", "-number").first()


def version_waiting(dataset: Dataset) -> DatasetVersion | None:
    """Return the version that is published from a later moment."""
    return DatasetVersion.objects.filter(dataset=dataset, from_moment__gt=timezone.now()).first()


def versions_of_dataset(dataset: Dataset) -> QuerySet[DatasetVersion]:
    """Return the versions of a dataset, the newest first."""
    return DatasetVersion.objects.filter(dataset=dataset)


def version_seen(dataset: Dataset, number: int) -> DatasetVersion:
    """Return a version by number. Raises ``NotFound``."""
    found = DatasetVersion.objects.filter(dataset=dataset, number=number).first()
    if found is None:
        raise NotFound("version_unknown", "没有这个版本。请在版本列表里选。")
    return found


def feature_now(dataset: Dataset, number: int) -> Feature:
    """Return a feature of the draft. Raises ``NotFound``."""
    found = held_now(dataset).filter(number=number).first()
    if found is None:
        raise NotFound("feature_unknown", "图层里没有这个要素，它可能已被删除。删错了可以撤销。")
    return found


def features_found(dataset: Dataset, words: str) -> QuerySet[Feature]:
    """Return the features of the draft whose values or number hold all words, by number."""
    found = held_now(dataset).order_by("number")
    for word in words.split()[:5]:
        said = Q(pk__in=[])
        for one in dataset.attributes:
            said |= Q(**{f"properties__{one['name']}__icontains": word})
        if word.isascii() and word.isdecimal() and len(word) < 9:
            said |= Q(number=int(word))
        found = found.filter(said)
    return found


def steps(dataset: Dataset) -> tuple[DatasetAct | None, DatasetAct | None]:
    """Return the act that 撤销 takes back, whoever did it, and the one that 重做 does again."""
    done: list[int] = []
    undone: list[int] = []
    acts = DatasetAct.objects.filter(dataset=dataset).order_by("revision").values_list("pk", "act", "undoes_id")
    for pk, act, undoes in acts:
        if act == "undo":
            done.remove(undoes)
            undone.append(undoes)
        elif act == "redo":
            undone.remove(undoes)
            done.append(undoes)
        elif act in UNDOABLE:
            done.append(pk)
            undone.clear()
    last = DatasetAct.objects.in_bulk([*done[-1:], *undone[-1:]])
    return (last[done[-1]] if done else None), (last[undone[-1]] if undone else None)


def check_unchanged(dataset: Dataset, *, seen: int, rows: Sequence[Feature]) -> None:
    """Raise ``Conflict`` that names what somebody did to one of some features since the revision that was ``seen``."""
    moved = [row for row in rows if row.from_revision > seen]
    if moved:
        raise moved_since(dataset, max(row.from_revision for row in moved))


def moved_since(dataset: Dataset, revision: int) -> Conflict:
    """Return the conflict that tells of the act that made a revision."""
    act = DatasetAct.objects.filter(dataset=dataset, revision=revision).first()
    who = f"{act.made_by} 刚才{act.said}" if act else "内容刚才有改动"
    return Conflict(
        "feature_changed", f"您编辑期间，{who}。请核对现在的内容，再决定要不要保存您填的。", newest=dataset.revision
    )


def imports_of(dataset: Dataset) -> QuerySet[DatasetImport]:
    """Return the files that came for a dataset, the newest first."""
    return DatasetImport.objects.filter(dataset=dataset)


def import_seen(pk: Any, *, scope: Scope) -> DatasetImport:
    """Return a file on its way into a dataset of the scope, for who may write it. Raises ``NotFound``."""
    found = (
        DatasetImport.objects.filter(pk=pk, dataset__in=datasets_visible(scope=scope)).select_related("dataset").first()
    )
    if found is None:
        raise NotFound("import_unknown", "没有找到这次导入。请从图层的“导入”页进入。")
    check_edit(found.dataset, scope=scope, duty=EDIT)
    return found
