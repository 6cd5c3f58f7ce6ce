"""Reads of arrangements: the one that holds for a list, those that were, and what a version changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

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
    is_list,
    known_filters,
    lists_above,
    name_of,
    sheet_of,
)
from services.facilities.browsing.questions import ORDERS
from services.facilities.browsing.specs import AS_DECLARED, Arrangement
from services.facilities.kinds import GROUPS, every_kind, kind_of, kinds_of_group
from services.facilities.navigation import NAVIGATION_APPS

DUTY: Final = "settings.write"


_NEWEST: Final = f"""
    SELECT DISTINCT ON (kinds, entry) kinds, entry, active, id FROM {ArrangementVersion._meta.db_table}
    WHERE city = %s AND kinds = ANY(%s) AND entry = ANY(%s) AND published_at IS NOT NULL
    ORDER BY kinds, entry, number DESC"""


@dataclass(frozen=True, slots=True)
class Held:
    """The sheet that holds for a list and where it comes from; no version means that nobody arranged it."""

    sheet: Sheet
    version: ArrangementVersion | None


def list_of(kinds: Sequence[str]) -> str:
    """Return the list some kinds are shown in: the one kind, the group all belong to, '' when they belong to several."""
    if len(kinds) == 1:
        return kinds[0]
    groups = {kind_of(key).group for key in kinds}
    return groups.pop() if len(groups) == 1 else ""


def sheet_for(kinds: str, entry: str) -> Held | None:
    """Return what is arranged for a group or a kind at an entry, the most particular; ``None`` where nothing is.

    A kind goes before its group, and of either the entry itself before all entries.
    """
    lists = lists_above(kinds)
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [current_city().key, list(lists), [entry, ""]])
        held = {(one, at): version for one, at, active, version in cursor.fetchall() if active}
    found = next((held[one, at] for one in lists for at in (entry, "") if (one, at) in held), None)
    if found is None:
        return None
    version = ArrangementVersion.objects.get(pk=found)
    return Held(sheet_of(version.sheet, kinds), version)


def arrangement_for(kinds: Sequence[str], entry: str) -> Arrangement:
    """Return what is laid over the filters and orders of a list of some kinds, opened at an entry. Everybody may know it."""
    one = list_of(kinds)
    held = sheet_for(one, entry) if one else None
    return arrangement_of(held.sheet) if held else AS_DECLARED


def navigation_app_for(kinds: Sequence[str], entry: str) -> str:
    """Return the key of the map app arranged for some kinds at an entry; empty where the city's own holds."""
    one = list_of(kinds)
    held = sheet_for(one, entry) if one else None
    return held.sheet.navigation_app if held else ""


@dataclass(frozen=True, slots=True)
class EntryStanding:
    """A list at one entry: the version of its own that holds there, if any, and whether a draft waits."""

    entry: str
    name: str
    holds: ArrangementVersion | None
    drafted: bool


@dataclass(frozen=True, slots=True)
class ListStanding:
    """A list that may be arranged, by group or kind, at its entries; ``group_name`` is '' for a group itself."""

    kinds: str
    name: str
    group_name: str
    entries: tuple[EntryStanding, ...]


def arranged_lists(*, scope: Scope) -> list[ListStanding]:
    """Return every group, each followed by the kinds of it that have a version or a draft of their own.

    Needs ``settings.write`` over the city.
    """
    check_city_duty(scope, DUTY)
    own: dict[tuple[str, str], list[ArrangementVersion]] = {}
    for version in ArrangementVersion.objects.filter(city=current_city().key).order_by("-number"):
        own.setdefault((version.kinds, version.entry), []).append(version)
    standings = {word: _standing(word, own) for word in (*GROUPS, *(kind.key for kind in every_kind()))}
    return [
        standings[word]
        for group in GROUPS
        for word in (group, *(kind.key for kind in every_kind() if kind.group == group))
        if word == group or any(at.holds or at.drafted for at in standings[word].entries)
    ]


def _standing(kinds: str, own: Mapping[tuple[str, str], Sequence[ArrangementVersion]]) -> ListStanding:
    entries = []
    for entry, name in ENTRIES.items():
        versions = own.get((kinds, entry), ())
        newest = next((one for one in versions if one.published_at), None)
        holds = newest if newest and newest.active else None
        entries.append(EntryStanding(entry, name, holds, any(one.published_at is None for one in versions)))
    group = "" if kinds in GROUPS else GROUPS.get(kind_of(kinds).group, "")
    return ListStanding(kinds, name_of(kinds), group, tuple(entries))


def kinds_arranged_apart(group: str, entry: str) -> list[str]:
    """Return the names of the kinds of a group whose own arrangement holds at an entry, whatever the group's says."""
    found = [(kind, sheet_for(kind.key, entry)) for kind in kinds_of_group(group)]
    return [kind.name for kind, held in found if held and held.version and held.version.kinds == kind.key]


def versions_of(kinds: str, entry: str, *, scope: Scope) -> list[ArrangementVersion]:
    """Return the versions of a list, newest first. Raises ``NotFound``, ``Forbidden``."""
    check_city_duty(scope, DUTY)
    check_list(kinds, entry)
    return list(ArrangementVersion.objects.filter(city=current_city().key, kinds=kinds, entry=entry))


def draft_arrangement(version: UUID, *, scope: Scope) -> Arrangement:
    """Return a version as a list would show it: for those who may set it only. Raises ``NotFound``, ``Forbidden``."""
    check_city_duty(scope, DUTY)
    row = ArrangementVersion.objects.filter(pk=version, city=current_city().key).first()
    if row is None:
        raise NotFound("arrangement_unknown", "没有这一版查找设置。")
    return arrangement_of(sheet_of(row.sheet, row.kinds))


def check_list(kinds: str, entry: str) -> None:
    """Raise ``NotFound`` for a group, a kind or an entry that is not there."""
    if not is_list(kinds) or entry not in ENTRIES:
        raise NotFound("list_unknown", "没有这个类别或入口的查找设置。")


def changes_between(before: Sheet, after: Sheet, kinds: str) -> list[str]:
    """Return in words what the second sheet says otherwise than the first."""
    known = known_filters(kinds)
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


def held_sheet(kinds: str, entry: str) -> Sheet:
    """Return the sheet a new draft begins with: what holds at the entry now."""
    held = sheet_for(kinds, entry)
    return held.sheet if held else declared_sheet(kinds)
