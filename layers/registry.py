"""The layers there are: declared in the ``map_layers`` module of installed apps, or provided while the house is running."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from geo.declared import by_key, declarations
from geo.errors import NotFound
from geo.scope import Scope
from layers.spec import LayerSpec


@dataclass(frozen=True, slots=True)
class Provider:
    """Where layers come from that no code declares: one by its key, and all of them."""

    find: Callable[[str], LayerSpec | None]
    every: Callable[[], Iterable[LayerSpec]]


PROVIDERS: Final[list[Provider]] = []


def provides_layers(find: Callable[[str], LayerSpec | None], every: Callable[[], Iterable[LayerSpec]]) -> None:
    """Register where more layers come from. Keys of declared layers win: a provider must not use them."""
    PROVIDERS.append(Provider(find, every))


@cache
def layers() -> dict[str, LayerSpec]:
    """Return all declared layers by key; two with the same key are a programming error."""
    return by_key(declarations("map_layers", "LAYERS"), "layer")


def visible_layers(*, scope: Scope) -> list[LayerSpec]:
    """Return every layer that a scope may see, declared before provided."""
    provided = (one for provider in PROVIDERS for one in provider.every())
    return [one for one in (*layers().values(), *provided) if may_see(one, scope)]


def layer(key: str, *, scope: Scope | None = None) -> LayerSpec:
    """Return one layer; no scope is the public one. Raises ``NotFound``, also for a layer this scope may not see."""
    asking = scope or Scope.public()
    found = layers().get(key) or next(filter(None, (provider.find(key) for provider in PROVIDERS)), None)
    if found is None or not may_see(found, asking):
        raise NotFound("layer_unknown", "没有这个图层。", known=sorted(one.key for one in visible_layers(scope=asking)))
    return found


def may_see(spec: LayerSpec, scope: Scope) -> bool:
    """Say whether a scope may see a layer at all; its rows are narrowed by ``layers.reading.seen_by``."""
    if spec.public:
        return True
    return scope.holds(spec.duty) and bool(scope.paths) and (not spec.within or scope.covers_path(spec.within))
