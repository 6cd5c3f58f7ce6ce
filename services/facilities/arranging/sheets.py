"""One arrangement of the list as a value: what it says of filters, orders and the map app, held to the declarations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.facilities.browsing.questions import FARTHEST_M, NEAREST_M, ORDERS
from services.facilities.browsing.specs import SPARE, Arrangement, FilterSpec, declared_specs
from services.facilities.kinds import GROUPS, kind_of, kinds_of_group, known_kind
from services.facilities.navigation import NAVIGATION_APPS

ENTRIES: Final[Mapping[str, str]] = {"": "全部入口", "web": "网页", "container": "随申办等移动端应用"}
"""Where the list is opened; what is arranged for one of them goes before what is arranged for all."""
LONGEST_LABEL: Final = 12
MOST_VALUES: Final = 12


@dataclass(frozen=True, slots=True)
class FilterLine:
    """What is said of one filter. No ``values`` leave those that are declared; ``limits`` are the ends of its input boxes."""

    key: str
    shown: bool = True
    label: str = ""
    values: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    limits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What is said of one order of the list."""

    key: str
    shown: bool = True
    label: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole arrangement: filters and orders in the order of the page, the order to begin with, the map app to begin with."""

    filters: tuple[FilterLine, ...]
    orders: tuple[OrderLine, ...]
    first_order: str = ""
    navigation_app: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something a sheet cannot say: at which line (``filter:KEY``, ``order:KEY``, ``first_order`` or ``navigation_app``), why."""

    where: str
    said: str


def kinds_of(kinds: str) -> tuple[str, ...]:
    """Return the keys of the kinds of a group, or of one kind."""
    return tuple(kind.key for kind in kinds_of_group(kinds)) if kinds in GROUPS else (kinds,)


def is_list(kinds: str) -> bool:
    """Say whether a word names a list that may be arranged: a group of kinds, or one kind."""
    return kinds in GROUPS or known_kind(kinds) is not None


def name_of(kinds: str) -> str:
    """Return what the list of a group or a kind is called."""
    return GROUPS.get(kinds) or kind_of(kinds).name


def lists_above(kinds: str) -> tuple[str, ...]:
    """Return the lists whose arrangement may hold for a list, the most particular first: the kind itself, then its group."""
    return (kinds,) if kinds in GROUPS else (kinds, kind_of(kinds).group)


def declared_sheet(kinds: str) -> Sheet:
    """Return what holds for a group or a kind while nobody has arranged anything."""
    return Sheet(
        filters=tuple(FilterLine(spec.key) for spec in declared_specs(kinds_of(kinds))),
        orders=tuple(OrderLine(key) for key in ORDERS),
    )


def spare_filters(kinds: str) -> dict[str, FilterSpec]:
    """Return the filters that may be added to the list of a group or a kind, by key."""
    return {key: spec for key, spec in SPARE.items() if spec.fits(kinds_of(kinds))}


def sheet_of(data: Mapping[str, Any], kinds: str) -> Sheet:
    """Return a sheet as it was kept; filters and orders declared since then come last, as declared."""
    filters = [
        FilterLine(
            line["key"],
            line["shown"],
            line["label"],
            tuple(line["values"]),
            tuple((value, words) for value, words in line["words"]),
            tuple(line["limits"]) if line["limits"] else None,
        )
        for line in data.get("filters", ())
        if line["key"] in known_filters(kinds)
    ]
    orders = [OrderLine(**line) for line in data.get("orders", ()) if line["key"] in ORDERS]
    usual = declared_sheet(kinds)
    said = {line.key for line in filters} | {line.key for line in orders}
    return Sheet(
        filters=(*filters, *(line for line in usual.filters if line.key not in said)),
        orders=(*orders, *(line for line in usual.orders if line.key not in said)),
        first_order=data.get("first_order", ""),
        navigation_app=data.get("navigation_app", ""),
    )


def data_of(sheet: Sheet) -> dict[str, Any]:
    """Return a sheet as plain data."""
    return {
        "filters": [
            {
                "key": line.key,
                "shown": line.shown,
                "label": line.label,
                "values": list(line.values),
                "words": [list(pair) for pair in line.words],
                "limits": list(line.limits) if line.limits else None,
            }
            for line in sheet.filters
        ],
        "orders": [{"key": line.key, "shown": line.shown, "label": line.label} for line in sheet.orders],
        "first_order": sheet.first_order,
        "navigation_app": sheet.navigation_app,
    }


def known_filters(kinds: str) -> dict[str, FilterSpec]:
    """Return every filter the list of a group or a kind may have, those to be added among them."""
    return {spec.key: spec for spec in declared_specs(kinds_of(kinds))} | spare_filters(kinds)


def arrangement_of(sheet: Sheet) -> Arrangement:
    """Return what is laid over the declarations."""
    return Arrangement(
        hidden=frozenset(line.key for line in sheet.filters if not line.shown),
        labels={line.key: line.label for line in sheet.filters if line.label},
        words={(line.key, value): words for line in sheet.filters for value, words in line.words},
        values={line.key: line.values for line in sheet.filters if line.values},
        order=tuple(line.key for line in sheet.filters),
        added=tuple(line.key for line in sheet.filters if line.key in SPARE),
        limits={line.key: line.limits for line in sheet.filters if line.limits},
        orders={line.key: line.label or ORDERS[line.key] for line in sheet.orders if line.shown},
        first_order=sheet.first_order,
    )


def offered_values(spec: FilterSpec, kinds: str) -> tuple[tuple[str, str], ...] | None:
    """Return the values of a filter that may be chosen from, with their words; ``None`` for one without, or with figures."""
    if spec.key == "type":
        return tuple((key, kind_of(key).name) for key in kinds_of(kinds))
    return spec.choices or None


def takes_figures(spec: FilterSpec) -> bool:
    """Say whether the values of a filter are figures that staff write: metres, beds, yuan."""
    return bool(spec.figures)


def wrong_with(sheet: Sheet, kinds: str) -> list[Wrong]:
    """Return what a sheet cannot say, each with the line it stands in."""
    if not is_list(kinds):
        return [Wrong("kinds", "没有这个类别。")]
    known = known_filters(kinds)
    wrong: list[Wrong] = []
    for line in sheet.filters:
        if line.key not in known:
            wrong.append(Wrong(f"filter:{line.key[:40]}", "这个类别没有这个筛选条件。"))
        else:
            wrong += [Wrong(f"filter:{line.key}", said) for said in _wrong_with_filter(line, known[line.key], kinds)]
    keys = [line.key for line in sheet.filters]
    wrong += [
        Wrong(f"filter:{key}", "这个筛选条件写了两次。") for key in sorted({k for k in keys if keys.count(k) > 1})
    ]
    shown = {line.key for line in sheet.orders if line.shown}
    for order in sheet.orders:
        if order.key not in ORDERS:
            wrong.append(Wrong(f"order:{order.key[:40]}", "没有这种排序。"))
        elif len(order.label) > LONGEST_LABEL:
            wrong.append(Wrong(f"order:{order.key}", f"排序的名称最多 {LONGEST_LABEL} 个字。"))
    if "name" not in shown:
        wrong.append(Wrong("order:name", "“按名称”要保留：没有位置、没有搜索词时按它排。"))
    if sheet.first_order and sheet.first_order not in shown:
        wrong.append(Wrong("first_order", "默认排序要在显示的排序里选。"))
    if sheet.navigation_app and sheet.navigation_app not in NAVIGATION_APPS:
        wrong.append(Wrong("navigation_app", f"可选的导航应用：{'、'.join(NAVIGATION_APPS.values())}。"))
    return wrong


def _wrong_with_filter(line: FilterLine, spec: FilterSpec, kinds: str) -> list[str]:
    said = []
    if len(line.label) > LONGEST_LABEL:
        said.append(f"名称最多 {LONGEST_LABEL} 个字。")
    if any(len(words) > LONGEST_LABEL for _, words in line.words):
        said.append(f"选项的文字最多 {LONGEST_LABEL} 个字。")
    if takes_figures(spec):
        said += _wrong_with_figures(line.values, spec)
    elif line.values:
        offered = dict(offered_values(spec, kinds) or ())
        strange = [value for value in line.values if value not in offered]
        if strange:
            said.append(f"没有“{strange[0][:20]}”这个选项，可选：{'、'.join(offered.values()) or '无'}。")
    if line.limits is not None:
        widest = spec.limits
        if widest is None:
            said.append("这个条件没有取值范围。")
        elif not widest[0] <= line.limits[0] < line.limits[1] <= widest[1]:
            said.append(f"取值范围要在 {widest[0]} 到 {widest[1]} 之间，由小到大。")
    return said


def _wrong_with_figures(values: Sequence[str], spec: FilterSpec) -> list[str]:
    if len(values) > MOST_VALUES:
        return [f"最多写 {MOST_VALUES} 个数。"]
    if not all(value.isascii() and value.isdecimal() and len(value) <= 6 for value in values):
        return ["选项要写整数，用逗号隔开，如 500,1000,2000。"]
    figures = [int(value) for value in values]
    if figures != sorted(set(figures)):
        return ["选项要由小到大，不能重复。"]
    if spec.key == "within" and figures and not NEAREST_M <= figures[0] <= figures[-1] <= FARTHEST_M:
        return [f"距离要在 {NEAREST_M} 到 {FARTHEST_M} 米之间。"]
    return []


def moved(lines: tuple[Any, ...], key: str, by: int) -> tuple[Any, ...]:
    """Return filter or order lines with one of them moved up (-1) or down (1); at an end it stays."""
    keys = [line.key for line in lines]
    if key not in keys:
        return lines
    at = keys.index(key)
    to = min(max(at + by, 0), len(lines) - 1)
    rest = [line for line in lines if line.key != key]
    rest.insert(to, lines[at])
    return tuple(rest)


def with_filter(sheet: Sheet, key: str) -> Sheet:
    """Return a sheet with a filter added at its end."""
    return replace(sheet, filters=(*sheet.filters, FilterLine(key)))


def without_filter(sheet: Sheet, key: str) -> Sheet:
    """Return a sheet without a filter that had been added."""
    return replace(sheet, filters=tuple(line for line in sheet.filters if line.key != key))
