"""What the page of a ledger shows of its question: filters with what is chosen, tokens that take one back, heads that sort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from shapely import Polygon

from geo.addresses.gazetteer import names_of, published_now
from geo.geometry import geodesic_area_m2
from geo.scope import Scope
from services.kernel.ledger.asking import PREFIX, Asked, options
from services.kernel.ledger.queries import columns_shown, regions_for
from services.kernel.spec import Column, LedgerSpec

CHIPS: Final = 4
"""How many filters are chips of their own."""
FEW: Final = 2
"""How many chosen words a token writes out."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to tick."""

    value: str
    label: str
    chosen: bool
    indent: bool = False


@dataclass(frozen=True, slots=True)
class FilterShown:
    """One filter as a menu: things to tick, or two ends of a range, or a piece of text."""

    name: str
    label: str
    kind: str
    input: str = "text"
    options: tuple[Option, ...] = ()
    first: str = ""
    last: str = ""
    summary: str = ""
    first_row: bool = False
    """Whether it is a chip of its own; the others stand together under 更多筛选."""

    @property
    def on(self) -> bool:
        """Say whether it narrows the list."""
        return bool(self.summary)


@dataclass(frozen=True, slots=True)
class Token:
    """One thing that narrows the list, and the address of the list without it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: the address that sorts by it, '' where none does, and how it is sorted now."""

    column: Column
    href: str
    sorted: str


def filters_shown(spec: LedgerSpec, asked: Asked, scope: Scope) -> list[FilterShown]:
    """Return the filters of a ledger in the order of its columns, the region first."""
    found = [_region(asked, scope)] if spec.region else []
    found += [_filter(column, asked) for column in spec.columns if column.filters]
    chips = [each for each in found if each.kind == "choice"][:CHIPS]
    return [replace(each, first_row=each in chips) for each in found]


def tokens_of(spec: LedgerSpec, asked: Asked, shown: list[FilterShown], own: Mapping[str, str]) -> list[Token]:
    """Return what narrows the list; ``own`` are parameters of the page that each address keeps."""
    tokens = [Token(f"“{asked.text}”", asked.query(text=""))] if asked.text else []
    for each in shown:
        if each.on:
            rest = asked.query(regions=()) if each.name == "region" else asked.without(each.name.removeprefix(PREFIX))
            tokens.append(Token(f"{each.label}：{each.summary}", rest))
    if asked.area:
        tokens.append(Token(f"画的范围：{_size(asked)}", asked.query(area=())))
    if asked.ids:
        tokens.append(Token(f"所选 {len(asked.ids)} {spec.counter}", asked.query(ids=())))
    return [Token(token.label, "&".join(filter(None, [token.href, urlencode(own)]))) for token in tokens]


def heads_of(spec: LedgerSpec, asked: Asked, own: Mapping[str, str]) -> list[Head]:
    """Return the heads of the shown columns: a first click sorts upwards, a second one downwards."""
    heads = []
    for column in columns_shown(spec, asked):
        now = {column.key: "ascending", f"-{column.key}": "descending"}.get(asked.sort or spec.order, "")
        turned = f"-{column.key}" if now == "ascending" else column.key
        href = "&".join(filter(None, [asked.query(sort=turned), urlencode(own)])) if column.sorts else ""
        heads.append(Head(column, href, now))
    return heads


def choices_of_columns(spec: LedgerSpec, asked: Asked) -> list[Option]:
    """Return all columns, the shown ones ticked."""
    shown = columns_shown(spec, asked)
    return [Option(column.key, column.label, column in shown) for column in spec.columns]


def _region(asked: Asked, scope: Scope) -> FilterShown:
    by_code = names_of(published_now()).by_code
    named = [by_code[code].name if code in by_code else code for code in asked.regions]
    choices = tuple(
        Option(each.code, each.name, each.code in asked.regions, indent=each.level == "street")
        for each in regions_for(scope)
    )
    return FilterShown("region", "区划", "choice", options=choices, summary=_words(named))


def _filter(column: Column, asked: Asked) -> FilterShown:
    name = f"{PREFIX}{column.key}"
    if column.kind in ("choice", "flag"):
        chosen = asked.chosen.get(column.key, ())
        choices = tuple(Option(value, label, value in chosen) for value, label in options(column))
        return FilterShown(
            name,
            column.label,
            "choice",
            options=choices,
            summary=_words([each.label for each in choices if each.chosen]),
        )
    if column.kind == "text":
        piece = asked.holding.get(column.key, "")
        return FilterShown(name, column.label, "text", first=piece, summary=f"含“{piece}”" if piece else "")
    first, last = asked.ranges.get(column.key, ("", ""))
    unit = f" {column.unit}" if column.unit else ""
    said = f"{first} – {last}" if first and last else f"{first} 起" if first else f"到 {last}"
    kind = "date" if column.kind in ("day", "moment") else "number"
    return FilterShown(
        name, column.label, "range", kind, first=first, last=last, summary=said + unit if first or last else ""
    )


def _size(asked: Asked) -> str:
    metres = geodesic_area_m2(Polygon(asked.area))
    return f"{metres / 1e6:,.1f} 平方公里" if metres >= 1e5 else f"{metres:,.0f} 平方米"


def _words(words: list[str]) -> str:
    few = "、".join(words[:FEW])
    return f"{few} 等 {len(words)} 项" if len(words) > FEW else few
