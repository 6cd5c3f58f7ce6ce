"""The catalogue of spatial resources (空间资源目录): found, looked at, tried and taken along, by everyone for what he may see."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from layers import catalogue
from layers.catalogue import AUDIENCES, GEOMETRIES, KINDS, ORDERS, Entry, Wanted, class_name, find, pages_of, service
from layers.registry import layer
from layers.spec import CATEGORIES, SERVICE_CATEGORIES
from layers.styles.queries import may_style
from services.access.queries import scope_for
from web.doors.catalogue.functions import example_of, operation_of, parameters_of, try_lines
from web.doors.catalogue.shown import (
    KIND_NAMES,
    about_layer,
    audience_words,
    calls_of,
    facts_of,
    preview_of,
    root_of,
    sample_rows,
)
from web.doors.common.desk_map import map_context
from web.doors.common.typed import number_typed, typed
from web.doors.finder.opened import opened_list

PAGE: Final = 20
LONGEST: Final = 60
FILTERS: Final = ("kind", "category", "geometry", "audience")


class Choice(NamedTuple):
    """One value of a filter: its words, how many there are, the address of the list with it, whether it is chosen."""

    words: str
    total: int
    url: str
    chosen: bool


class Line(NamedTuple):
    """An entry as the list shows it."""

    entry: Entry
    url: str
    class_name: str
    geometry: str
    audience: str


@opened_list
@never_cache
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List what there is, by class with how many, narrowed and ordered as the address says."""
    scope, wanted = scope_for(request), _wanted(request)
    found = find(wanted, scope=scope)
    pages = pages_of(found.entries, PAGE)
    at = min(max(1, number_typed(request, "page")), pages)
    lines = [_line(each) for each in found.entries[(at - 1) * PAGE : at * PAGE]]
    query = _query(wanted)
    facets = [
        ("kind", "种类", _choices("kind", KINDS, found.counts["kind"], wanted)),
        (
            "category",
            "类别",
            _choices("category", {**CATEGORIES, **SERVICE_CATEGORIES}, found.counts["category"], wanted),
        ),
        ("geometry", "形状", _choices("geometry", GEOMETRIES, found.counts["geometry"], wanted)),
        ("audience", "谁能看", _choices("audience", AUDIENCES, found.counts["audience"], wanted)),
    ]
    context = {
        "wanted": wanted,
        "lines": lines,
        "total": len(found.entries),
        "facets": facets,
        "orders": ORDERS.items(),
        "hidden": {name: getattr(wanted, name) for name in FILTERS if getattr(wanted, name)},
        "page": at,
        "pages": pages,
        "before": f"?{urlencode({**query, 'page': at - 1})}" if at > 1 else "",
        "after": f"?{urlencode({**query, 'page': at + 1})}" if at < pages else "",
        "narrowed": bool({name for name in query if name != "order"}),
    }
    return render(request, "layers/list.html", context)


@never_cache
@require_safe
def layer_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one layer: a map of it with its legend, what is known of it, its first rows, who may see it, how it is had."""
    scope, root = scope_for(request), root_of(request)
    spec = layer(key, scope=scope)
    about = about_layer(spec, scope=scope, root=root)
    drawn, legend = preview_of(spec, scope=scope, root=root)
    context = {
        "spec": spec,
        "about": about,
        "class_name": class_name(spec.category),
        "as_of": catalogue.as_of(spec, scope=scope),
        "facts": facts_of(spec, about),
        "attributes": [(one, KIND_NAMES[one.kind]) for one in spec.attributes],
        "rows": sample_rows(spec, scope=scope),
        "calls": calls_of(spec, root),
        "drawn": drawn,
        "legend": legend,
        "may_style": may_style(spec, scope),
        **map_context(),
    }
    return render(request, "layers/layer.html", context)


@never_cache
@require_safe
def function_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one function: what it does, an example to try here, what it is told, who may call it, how it is called."""
    spec = service(key, scope=scope_for(request))
    example, operation = example_of(spec), operation_of(spec)
    context = {
        "spec": spec,
        "class_name": class_name(spec.category),
        "says": operation.get("description") or spec.summary,
        "parameters": parameters_of(spec, operation),
        "example": example,
        "body": json.dumps(example, ensure_ascii=False, indent=1),
        "calls": try_lines(spec, example, root_of(request)),
        "audience": audience_words(spec),
        "documented": bool(operation),
    }
    return render(request, "layers/function.html", context)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how the catalogue is used."""
    return render(request, "help/catalogue.html")


def _wanted(request: HttpRequest) -> Wanted:
    known: dict[str, Any] = {
        "kind": KINDS,
        "category": {**CATEGORIES, **SERVICE_CATEGORIES},
        "geometry": GEOMETRIES,
        "audience": AUDIENCES,
        "order": ORDERS,
    }
    chosen = {name: typed(request, name) for name, words in known.items() if typed(request, name) in words}
    try:
        since = dt.date.fromisoformat(typed(request, "since"))
    except ValueError:
        since = None
    return Wanted(words=typed(request, "q")[:LONGEST].strip(), since=since, **chosen)  # type: ignore[arg-type]


def _query(wanted: Wanted, **over: str) -> dict[str, str]:
    told = {
        "q": wanted.words,
        "kind": wanted.kind,
        "category": wanted.category,
        "geometry": wanted.geometry,
        "audience": wanted.audience,
        "since": wanted.since.isoformat() if wanted.since else "",
        "order": "" if wanted.order == "class" else wanted.order,
    } | over
    return {name: value for name, value in told.items() if value}


def _choices(name: str, words: Any, counts: Any, wanted: Wanted) -> list[Choice]:
    chosen = getattr(wanted, name)
    return [
        Choice(
            said, counts[key], f"?{urlencode(_query(wanted, **{name: '' if key == chosen else key}))}", key == chosen
        )
        for key, said in words.items()
        if counts[key] or key == chosen
    ]


def _line(entry: Entry) -> Line:
    where = "layers" if entry.kind == "data" else "functions"
    return Line(
        entry,
        f"/{where}/{entry.key}",
        class_name(entry.category),
        GEOMETRIES.get(entry.geometry, "功能"),
        AUDIENCES[entry.audience],
    )
