"""Reads of arrangements: the one that holds for a list, those that were, and what a version changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from geo.errors import NotFound
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.arranging.models import ArrangementVersion
from services.facilities.arranging.sheets import (
    ENTRIES,
    FilterLine,
    OrderLine,
    Sheet,
    arrangement_of,
    declared_sheet,
    known_filters,
    sheet_of,
)
from services.facilities.browsing.questions import ORDERS
from services.facilities.browsing.specs import AS_DECLARED, Arrangement
from services.facilities.kinds import GROUPS, kind_of
from services.facilities.navigation import NAVIGATION_APPS

DUTY: Final = "settings.write"


_NEWEST: Final = f"""
    SELECT DISTINCT ON (entry) * FROM {ArrangementVersion._meta.db_table}
    WHERE city = %s AND "group" = %s AND entry = ANY(%s) AND published_at IS NOT NULL ORDER BY entry, number DESC"""


@dataclass(frozen=True, slots=True)
class Held:
    """The sheet that holds for a list and where it comes from; no version means that nobody arranged it."""

    sheet: Sheet
    version: ArrangementVersion | None


def group_of(kinds: Sequence[str]) -> str:
    """Return the group all of some kinds belong to, empty when they belong to several."""
    groups = {kind_of(key).group for key in kinds}
    return groups.pop() if len(groups) == 1 else ""


def sheet_for(group: str, entry: str) -> Held | None:
    """Return what is arranged for a group at an entry: for the entry itself, else for all; ``None`` where nothing is."""
    newest = ArrangementVersion.objects.raw(_NEWEST, [current_city().key, group, [entry, ""]])
    held = {version.entry: version for version in newest if version.active}
    version = held.get(entry) or held.get("")
    return None if version is None else Held(sheet_of(version.sheet, group), version)


def arrangement_for(kinds: Sequence[str], entry: str) -> Arrangement:
    """Return what is laid over the filters and orders of a list of some kinds, opened at an entry. Everybody may know it."""
    group = group_of(kinds)
    held = sheet_for(group, entry) if group else None
    return arrangement_of(held.sheet) if held else AS_DECLARED


def navigation_app_for(kinds: Sequence[str], entry: str) -> str:
    """Return the key of the map app arranged for some kinds at an entry; empty where the city's own holds."""
    group = group_of(kinds)
    held = sheet_for(group, entry) if group else None
    return held.sheet.navigation_app if held else ""


def arranged_lists(*, scope: Scope) -> list[tuple[str, str, list[tuple[str, str, ArrangementVersion | None, bool]]]]:
    """Return every group with its entries: key, name, the version that holds there and whether a draft waits.

    Needs ``settings.write`` over the city.
    """
    check_city_duty(scope, DUTY)
    versions = list(ArrangementVersion.objects.filter(city=current_city().key).order_by("-number"))
    found = []
    for group, name in GROUPS.items():
        lines = []
        for entry, entry_name in ENTRIES.items():
            own = [one for one in versions if (one.group, one.entry) == (group, entry)]
            newest = next((one for one in own if one.published_at), None)
            holds = newest if newest and newest.active else None
            lines.append((entry, entry_name, holds, any(one.published_at is None for one in own)))
        found.append((group, name, lines))
    return found


def versions_of(group: str, entry: str, *, scope: Scope) -> list[ArrangementVersion]:
    """Return the versions of a list, newest first. Raises ``NotFound``, ``Forbidden``."""
    check_city_duty(scope, DUTY)
    check_list(group, entry)
    return list(ArrangementVersion.objects.filter(city=current_city().key, group=group, entry=entry))


def draft_arrangement(version: UUID, *, scope: Scope) -> Arrangement:
    """Return a version as a list would show it: for those who may set it only. Raises ``NotFound``, ``Forbidden``."""
    check_city_duty(scope, DUTY)
    row = ArrangementVersion.objects.filter(pk=version, city=current_city().key).first()
    if row is None:
        raise NotFound("arrangement_unknown", "没有这一版查找设置。")
    return arrangement_of(sheet_of(row.sheet, row.group))


def check_list(group: str, entry: str) -> None:
    """Raise ``NotFound`` for a group or an entry that is not there."""
    if group not in GROUPS or entry not in ENTRIES:
        raise NotFound("list_unknown", "没有这个类别或入口的查找设置。")


def changes_between(before: Sheet, after: Sheet, group: str) -> list[str]:
    """Return in words what the second sheet says otherwise than the first."""
    known = known_filters(group)
    said = _line_changes(
        {line.key: line for line in before.filters},
        {line.key: line for line in after.filters},
        {key: spec.label for key, spec in known.items()},
        "筛选",
    )
    said += _line_changes(
        {line.key: line for line in before.orders}, {line.key: line for line in after.orders}, ORDERS, "排序"
    )
    common = {line.key for line in before.filters} & {line.key for line in after.filters}
    kept = [[line.key for line in sheet.filters if line.key in common] for sheet in (before, after)]
    if kept[0] != kept[1]:
        said.append("筛选条件的先后变了")
    if [line.key for line in before.orders] != [line.key for line in after.orders]:
        said.append("排序方式的先后变了")
    if before.first_order != after.first_order:
        said.append(f"默认排序：{ORDERS.get(after.first_order, '按查找的情况')}")
    if before.navigation_app != after.navigation_app:
        said.append(f"默认导航应用：{NAVIGATION_APPS.get(after.navigation_app, '与全市相同')}")
    return said


def _line_changes(
    before: dict[str, FilterLine] | dict[str, OrderLine],
    after: dict[str, FilterLine] | dict[str, OrderLine],
    names: object,
    what: str,
) -> list[str]:
    name = dict(names)  # type: ignore[call-overload]
    said = []
    for key, line in after.items():
        was = before.get(key)
        if was is None:
            said.append(f"新增{what}“{line.label or name[key]}”")
            continue
        if was.shown != line.shown:
            said.append(f"{'显示' if line.shown else '关闭'}{what}“{name[key]}”")
        if was.label != line.label:
            said.append(f"{what}“{name[key]}”改称“{line.label or name[key]}”")
        if isinstance(was, FilterLine) and isinstance(line, FilterLine):
            if (was.values, was.words) != (line.values, line.words):
                said.append(f"“{name[key]}”的选项变了")
            if was.limits != line.limits:
                said.append(f"“{name[key]}”的取值范围变了")
    return said + [f"去掉{what}“{name[key]}”" for key in before if key not in after]


def held_sheet(group: str, entry: str) -> Sheet:
    """Return the sheet a new draft begins with: what holds at the entry now."""
    held = sheet_for(group, entry)
    return held.sheet if held else declared_sheet(group)
