"""Datasets at the desk: the list, a new one, what is said of one, its attributes, its versions and how they differ."""

from __future__ import annotations

from typing import Any, Final

import shapely
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.crs import System
from geo.errors import CityError, Forbidden, NotFound
from geo.geometry import feature, feature_collection
from geo.regions.models import EditionState, RegionVersion
from layers.datasets import actions, editing
from layers.datasets.attributes import KINDS, DatasetAttribute, attributes_of, shown
from layers.datasets.editing import Sent, named
from layers.datasets.models import Audience, Dataset, DatasetVersion, Feature, GeometryKind
from layers.datasets.queries import (
    EDIT,
    dataset_seen,
    datasets_visible,
    may_edit,
    regions_to_own,
    version_at,
    version_seen,
    version_waiting,
    versions_of_dataset,
)
from layers.datasets.revisions import Difference, differences, held_now, tally_between
from layers.spec import CATEGORIES
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, moment_of, number_typed, typed

A_PAGE: Final = 30
DIFFERING: Final = 100
STATES: Final = {"all": "全部", "published": "已发布", "draft": "没有发布", "retired": "已停用"}
WORDS: Final = {"added": ("新增", "good"), "changed": ("修改", "warn"), "gone": ("删除", "bad")}


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the datasets of the caller's regions, by state and words."""
    scope = scope_for(request)
    check_duty(scope, "layers.view")
    words, state = typed(request, "q")[:60], typed(request, "state", "all")
    found = datasets_visible(scope=scope).filter(_in_state(state))
    if words.strip():
        found = found.filter(
            Q(title__icontains=words.strip()) | Q(key=words.strip()) | Q(summary__icontains=words.strip())
        )
    page = Paginator(found, A_PAGE).get_page(typed(request, "page"))
    names = _region_names({one.region_id for one in page})
    lines = [
        {"one": one, "version": version_at(one), "region": names.get(one.region_id, ""), "total": held_now(one).count()}
        for one in page
    ]
    context = {
        "page": page, "lines": lines, "q": words, "state": state, "states": STATES, "may_make": bool(scope.holds(EDIT)),
    }  # fmt: skip
    return render(request, "desk/datasets/list.html", context)


def _in_state(state: str) -> Q:
    begun = DatasetVersion.objects.filter(from_moment__lte=timezone.now()).values("dataset")
    return {
        "published": Q(retired_at=None, pk__in=begun), "draft": Q(retired_at=None) & ~Q(pk__in=begun),
        "retired": Q(retired_at__isnull=False),
    }.get(state, Q())  # fmt: skip


def _region_names(ids: set[int]) -> dict[int, str]:
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region__in=ids)
    return dict(rows.values_list("region_id", "name"))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Ask what a new dataset is called, draws and belongs to; on POST make it and go to work."""
    scope = scope_for(request)
    check_duty(scope, EDIT)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            made = actions.create_dataset(
                **_about_typed(request), geometry=typed(request, "geometry"), region=typed(request, "region"),
                key=key_typed(request), scope=scope,
            )  # fmt: skip
            messages.success(request, f"已新建“{made.title}”。在地图上画，或从文件导入。")
            return redirect("desk-dataset", made.key)
        except CityError as refused:
            fault = refused
    context = {
        "regions": regions_to_own(scope=scope), "kinds": GeometryKind.choices, "key": typed(request, "key") or new_id(),
        "said": {**_about_typed(request), "geometry": typed(request, "geometry"), "region": typed(request, "region")},
        "faults": _faults(fault), "fault": fault, **_choices(),
    }  # fmt: skip
    return render(request, "desk/datasets/new.html", context, status=status_of(fault) if fault else 200)


def _about_typed(request: HttpRequest) -> dict[str, Any]:
    return {
        "title": typed(request, "title"), "summary": typed(request, "summary"), "source": typed(request, "source"),
        "category": typed(request, "category", "own"), "audience": typed(request, "audience", "everyone"),
    }  # fmt: skip


def _choices() -> dict[str, Any]:
    offered = [(key, title) for key, title in CATEGORIES.items() if key in ("own", "themes", "places", "plans")]
    return {"categories": offered, "audiences": Audience.choices}


def _faults(fault: CityError | None) -> dict[str, str]:
    found: dict[str, str] = fault.detail.get("fields", {}) if fault else {}
    return found


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show what is said of a dataset, its attributes, and how it is copied or retired; on POST change one of them."""
    scope = scope_for(request)
    dataset, fault = dataset_seen(key, scope=scope), None
    if request.method == "POST":
        try:
            return _settled(request, Sent(key, number_typed(request, "seen"), key_typed(request), scope))
        except (Forbidden, NotFound):
            raise
        except CityError as refused:
            fault = refused
            dataset.refresh_from_db()
    counts, attributes = actions.filled(dataset), attributes_of(dataset.attributes)
    act = typed(request, "act") if fault else ""
    context = {
        "dataset": dataset, "may_edit": may_edit(dataset, scope=scope), "may_restore": scope.holds(EDIT), "fault": fault,
        "faults": _faults(fault), "act": act, "at": typed(request, "name") if fault else "", "kinds": KINDS,
        "said": _about_typed(request) if act == "about" else _about_of(dataset), "key": new_id(),
        "attributes": [(one, KINDS[one.kind], counts[one.name], "、".join(one.choices)) for one in attributes],
        "region": _region_names({dataset.region_id}).get(dataset.region_id, ""), **_choices(),
    }  # fmt: skip
    return render(request, "desk/datasets/settings.html", context, status=status_of(fault) if fault else 200)


def _about_of(dataset: Dataset) -> dict[str, str]:
    return {name: getattr(dataset, name) for name in ("title", "summary", "source", "category", "audience")}


def _settled(request: HttpRequest, sent: Sent) -> HttpResponse:
    act, name = typed(request, "act"), typed(request, "name")
    if act == "copy":
        copy = actions.copy_dataset(sent, title=typed(request, "title"))
        messages.success(request, f"已复制为“{copy.title}”。")
        return redirect("desk-dataset", copy.key)
    title, choices, required = typed(request, "title"), typed(request, "choices"), bool(typed(request, "required"))
    said = "已保存。"
    if act == "about":
        actions.describe(sent, **_about_typed(request))
    elif act == "add":
        actions.add_attribute(sent, title=title, kind=typed(request, "kind"), required=required, choices=choices)
        said = f"已新增字段“{title}”。"
    elif act == "change":
        actions.change_attribute(
            sent, name=name, title=title, required=required, choices=choices, place=number_typed(request, "place")
        )
    elif act == "remove":
        actions.remove_attribute(sent, name=name)
        said = "已删除字段。删错了可以在图层里点“撤销”。"
    elif act == "retire":
        actions.retire(sent)
        said = "已停用。地图和目录里不再有它，版本和草稿都还在。"
    elif act == "restore":
        actions.restore_dataset(sent)
        said = "已恢复。"
    messages.success(request, said)
    return redirect("desk-dataset-settings", sent.dataset)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def versions_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the versions of a dataset and what the draft would change; on POST publish, withdraw or go back to one."""
    scope = scope_for(request)
    dataset, fault = dataset_seen(key, scope=scope), None
    if request.method == "POST":
        try:
            return _published(request, Sent(key, number_typed(request, "seen"), key_typed(request), scope))
        except (Forbidden, NotFound):
            raise
        except CityError as refused:
            fault = refused
            dataset.refresh_from_db()
    versions, now = list(versions_of_dataset(dataset)), version_at(dataset)
    last = versions[0] if versions else None
    tally = tally_between(dataset, before=last.revision if last else 0, after=dataset.revision)
    context = {
        "dataset": dataset, "versions": versions, "now": now, "waiting": version_waiting(dataset), "last": last,
        "tally": tally, "total": held_now(dataset).count(), "fault": fault, "faults": _faults(fault), "key": new_id(),
        "fields_changed": bool(last and last.attributes != dataset.attributes), "may_edit": may_edit(dataset, scope=scope),
        "unpublished": last is None or actions.unpublished(dataset, last), "note": typed(request, "note"),
    }  # fmt: skip
    return render(request, "desk/datasets/versions.html", context, status=status_of(fault) if fault else 200)


def _published(request: HttpRequest, sent: Sent) -> HttpResponse:
    act, number = typed(request, "act"), number_typed(request, "number")
    if act == "publish":
        moment = moment_of(typed(request, "from_moment"), "生效时间")
        version = actions.publish(sent, note=typed(request, "note"), from_moment=moment)
        later = version.from_moment > timezone.now()
        when = f"{timezone.localtime(version.from_moment):%Y-%m-%d %H:%M} 起生效" if later else "马上可以在地图上看到"
        messages.success(request, f"已发布第 {version.number} 版，{when}。")
    elif act == "withdraw":
        actions.withdraw(sent, number=number)
        messages.success(request, f"已取消第 {number} 版的定时发布，草稿没有变。")
    elif act == "back":
        editing.roll_back(sent, number=number)
        messages.success(request, f"草稿已恢复到第 {number} 版。看过以后请发布，公众才看得到。")
    return redirect("desk-dataset-versions", sent.dataset)


@never_cache
@login_required
@require_safe
def compare_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show what differs between two versions, or a version and the draft, on the map and as a list."""
    dataset = dataset_seen(key, scope=scope_for(request))
    one, two = _side(dataset, typed(request, "from")), _side(dataset, typed(request, "to"))
    if one[0] > two[0]:
        one, two = two, one
    page = max(1, number_typed(request, "page"))
    found = differences(dataset, before=one[0], after=two[0], limit=DIFFERING + 1, offset=(page - 1) * DIFFERING)
    rows = Feature.objects.in_bulk([pk for each in found for pk in (each.before, each.after) if pk])
    context = {
        "dataset": dataset, "one": one, "two": two, "lines": [_difference(dataset, each, rows) for each in found[:DIFFERING]],
        "tally": tally_between(dataset, before=one[0], after=two[0]), "drawn": _drawn(dataset, found[:DIFFERING], rows),
        "page": page, "more": len(found) > DIFFERING, "versions": versions_of_dataset(dataset),
    } | map_context()  # fmt: skip
    return render(request, "desk/datasets/compare.html", context)


def _side(dataset: Dataset, asked: str) -> tuple[int, str, str]:
    """Return a side of a comparison: its revision, what it is called, and how it is asked for."""
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 0
    if number == 0:
        return dataset.revision, "草稿", "draft"
    version = version_seen(dataset, number)
    return version.revision, f"第 {version.number} 版", str(version.number)


def _difference(dataset: Dataset, each: Difference, rows: dict[int, Feature]) -> dict[str, Any]:
    before, after = rows.get(each.before or 0), rows.get(each.after or 0)
    row = after or before
    word, tag = WORDS[each.kind]
    told: list[str] = []
    if before and after:
        told = [
            f"{one.title}：{_read(one, before)} → {_read(one, after)}"
            for one in attributes_of(dataset.attributes)
            if before.properties.get(one.name) != after.properties.get(one.name)
        ]
        told += ["图形有改动"] if before.geom.wkb != after.geom.wkb else []
    return {
        "number": each.number, "name": named(dataset, each.number, row.properties).strip() if row else "", "word": word,
        "tag": tag, "told": told,
    }  # fmt: skip


def _read(attribute: DatasetAttribute, row: Feature) -> str:
    return shown(attribute, row.properties.get(attribute.name)) or "空"


def _drawn(dataset: Dataset, found: list[Difference], rows: dict[int, Feature]) -> dict[str, Any]:
    drawn = []
    for each in found:
        for pk, side in ((each.before, "before"), (each.after, "after")):
            row = rows.get(pk or 0)
            if row is None:
                continue
            state = each.kind if each.kind != "changed" else ("changed" if side == "after" else "before")
            name = named(dataset, each.number, row.properties).strip()
            shape = shapely.from_wkb(bytes(row.geom.wkb))
            drawn.append(feature(shape, {"state": state, "said": f"{name}（{WORDS[each.kind][0]}）"}, System.CGCS2000))
    return feature_collection(drawn)
