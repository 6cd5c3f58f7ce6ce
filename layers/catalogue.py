"""The catalogue of what the house offers: its layers and its functions, found by class, by words and by when they changed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Final, Literal

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from geo.answering import once
from geo.declared import by_key, declarations
from geo.errors import NotFound
from geo.imports.models import Source
from geo.names import grams, plain, query_grams
from geo.scope import Scope
from layers.datasets.models import DatasetVersion
from layers.ogc.extents import extent_of
from layers.registry import visible_layers
from layers.spec import CATEGORIES, SERVICE_CATEGORIES, LayerSpec, ServiceSpec

Kind = Literal["data", "function"]
Order = Literal["class", "name", "newest"]
KINDS: Final[Mapping[Kind, str]] = {"data": "数据", "function": "功能"}
GEOMETRIES: Final = {"point": "点", "line": "线", "polygon": "面"}
AUDIENCES: Final = {"everyone": "所有人", "staff": "工作人员"}
ORDERS: Final[Mapping[Order, str]] = {"class": "按类别", "name": "按名称", "newest": "最近更新在前"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer or a function as the catalogue lists it; ``found_by`` are the texts it is searched by, the title first.

    ``updated`` is when what it shows last changed (aware), none where that is not known or means nothing.
    """

    kind: Kind
    spec: LayerSpec | ServiceSpec
    category: str
    found_by: tuple[str, ...]
    updated: dt.datetime | None = None

    @property
    def key(self) -> str:
        """Return its key; layers and functions have keys of their own."""
        return self.spec.key

    @property
    def title(self) -> str:
        """Return its name."""
        return self.spec.title

    @property
    def summary(self) -> str:
        """Return what it shows or does."""
        return self.spec.summary

    @property
    def geometry(self) -> str:
        """Return point, line or polygon, '' for a function."""
        return self.spec.geometry if isinstance(self.spec, LayerSpec) else ""

    @property
    def audience(self) -> str:
        """Return for whom it is."""
        return "staff" if self.spec.duty else "everyone"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; '' and none narrow nothing. ``category`` is a class of either kind."""

    words: str = ""
    kind: str = ""
    category: str = ""
    geometry: str = ""
    audience: str = ""
    since: dt.date | None = None
    order: Order = "class"


@dataclass(frozen=True, slots=True)
class Found:
    """The entries found in the order asked for; ``counts`` say by filter how many there are of each value, itself left aside."""

    entries: list[Entry]
    counts: dict[str, Counter[str]] = field(default_factory=dict)


@cache
def services() -> dict[str, ServiceSpec]:
    """Return all functions that the apps declare in ``map_services``; two with the same key are a programming error."""
    return by_key(declarations("map_services", "SERVICES"), "function")


def service(key: str, *, scope: Scope) -> ServiceSpec:
    """Return one function. Raises ``NotFound``, also for one this scope may not call."""
    found = services().get(key)
    if found is None or not _may_call(found, scope):
        raise NotFound("function_unknown", "没有这项功能服务，请到空间资源目录里找。")
    return found


def _may_call(spec: ServiceSpec, scope: Scope) -> bool:
    return not spec.duty or scope.holds(spec.duty)


def entries(*, scope: Scope) -> list[Entry]:
    """Return every layer and function a scope may see."""
    layers = [
        Entry("data", one, one.category, _texts(one, (part.title for part in one.attributes)), as_of(one, scope=scope))
        for one in visible_layers(scope=scope)
    ]
    functions = [
        Entry("function", one, one.category, _texts(one, [one.path]))
        for one in services().values()
        if _may_call(one, scope)
    ]
    return layers + functions


def _texts(spec: LayerSpec | ServiceSpec, more: Iterable[str]) -> tuple[str, ...]:
    return (spec.title, spec.key, class_name(spec.category), spec.summary, *more)


def class_name(category: str) -> str:
    """Return what a class is called."""
    return CATEGORIES.get(category) or SERVICE_CATEGORIES[category]


def find(wanted: Wanted, *, scope: Scope) -> Found:
    """Return what matches of what a scope may see."""
    every = [entry for entry in entries(scope=scope) if _matches(entry, wanted.words)]
    tests = _tests(wanted)
    counts = {
        name: Counter(
            value(entry) for entry in every if all(holds(entry) for other, (holds, _) in tests.items() if other != name)
        )
        for name, (_, value) in tests.items()
    }
    return Found(sorted((e for e in every if all(holds(e) for holds, _ in tests.values())), key=_order(wanted)), counts)


Test = tuple[Callable[[Entry], bool], Callable[[Entry], str]]


def _tests(wanted: Wanted) -> dict[str, Test]:
    def equal(name: str) -> Test:
        asked = getattr(wanted, name)
        return (lambda entry: not asked or getattr(entry, name) == asked), (lambda entry: str(getattr(entry, name)))

    def lately(entry: Entry) -> bool:
        if wanted.since is None:
            return True
        return entry.updated is not None and timezone.localtime(entry.updated).date() >= wanted.since

    return {name: equal(name) for name in ("kind", "category", "geometry", "audience")} | {
        "since": (lately, lambda _: "")
    }


def _matches(entry: Entry, words: str) -> bool:
    """Say whether every word is in one of the texts, as it is written, or as the title sounds."""
    for word in words.split():
        sought = plain(word)
        pieces = query_grams(word)
        if not sought or any(sought in plain(text) for text in entry.found_by):
            continue
        if not pieces or not set(pieces) <= set(grams(entry.title)):
            return False
    return True


def _order(wanted: Wanted) -> Callable[[Entry], tuple[object, ...]]:
    classes = [*CATEGORIES, *SERVICE_CATEGORIES]
    words = [plain(word) for word in wanted.words.split()]

    def by_class(entry: Entry) -> tuple[object, ...]:
        named = not any(word and word in plain(entry.title) for word in words)
        return named, classes.index(entry.category), entry.title

    def newest(entry: Entry) -> tuple[object, ...]:
        return -(entry.updated.timestamp() if entry.updated else 0.0), entry.title

    if wanted.order == "newest":
        return newest
    return by_class if wanted.order == "class" else lambda entry: (entry.title,)


def as_of(layer: LayerSpec, *, scope: Scope) -> dt.datetime | None:
    """Return when what a layer shows last changed: a source was published, a row was edited, its version began."""
    moments = [_published().get(family) for family in layer.families]
    if layer.touched:
        moments.append(_touched(layer))
    moments.append(_begun().get(layer.key))
    known = [moment for moment in moments if moment is not None]
    if not known and layer.moment and not layer.edition:
        last = extent_of(layer, scope=scope).last
        known = [_aware(last)] if last else []
    return max(known, default=None)


def _published() -> Mapping[str, dt.datetime]:
    """Return when each family was last published or taken back."""

    def read() -> dict[str, dt.datetime]:
        rows = Source.objects.exclude(published_at=None).values_list("family")
        return {
            family: max(filter(None, stamps))
            for family, *stamps in rows.annotate(Max("published_at"), Max("retired_at"))
        }

    return once("catalogue published", read)


def _begun() -> Mapping[str, dt.datetime]:
    """Return when the version of each dataset began that holds now."""

    def read() -> dict[str, dt.datetime]:
        begun = DatasetVersion.objects.filter(from_moment__lte=timezone.now()).values_list("dataset__key")
        return dict(begun.annotate(Max("from_moment")))

    return once("catalogue begun", read)


def _touched(layer: LayerSpec) -> dt.datetime | None:
    """Return the moment a layer was touched, where it says one: seconds since 1970."""

    def read() -> dt.datetime | None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {layer.touched}")
            value = cursor.fetchone()[0]
        return dt.datetime.fromtimestamp(float(value), dt.UTC) if isinstance(value, Decimal | float) and value else None

    return once(("catalogue touched", layer.touched), read)


def _aware(day: dt.date) -> dt.datetime:
    if isinstance(day, dt.datetime):
        return day
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def pages_of(found: Sequence[Entry], size: int) -> int:
    """Return how many pages entries take, one at least."""
    return max(1, -(-len(found) // size))
