"""From a declared layer to the bytes of a tile: which rows at which zoom, narrowed how, and from which edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from geo.errors import BadInput
from geo.imports.queries import edition_of
from geo.scope import Scope
from layers.reading import Narrowing, seen_by
from layers.spec import LayerSpec
from tiles.cache import cached_tile, keep_longer
from tiles.mvt import TileSource, tile_bytes
from tiles.schemes import Tile

MAX_WORDS = 40


def layer_tile(
    *, layer: LayerSpec, tile: Tile, chosen: Mapping[str, Sequence[str]], scope: Scope | None = None
) -> bytes:
    """Return a tile, drawn at most once per edition and scope; empty where the layer does not begin yet.

    No scope is the public one; of a layer with a duty it sees no row.
    """
    seen = seen_by(layer, scope or Scope.public())
    source = _source(layer, tile.z, chosen, seen)
    if source is None:
        return b""
    return cached_tile(_key(layer, tile, chosen, layer_edition(layer), seen), lambda: tile_bytes(source, tile))


def preload_tile(*, layer: LayerSpec, tile: Tile, chosen: Mapping[str, Sequence[str]], edition: str) -> bytes | None:
    """Let a tile of an edition be kept for whoever asks next; return it when it had to be drawn, ``None`` when it was kept."""
    seen = seen_by(layer, Scope.public())
    source, key = _source(layer, tile.z, chosen, seen), _key(layer, tile, chosen, edition, seen)
    if source is None or keep_longer(key):
        return None
    return cached_tile(key, lambda: tile_bytes(source, tile))


def _key(layer: LayerSpec, tile: Tile, chosen: Mapping[str, Sequence[str]], edition: str, seen: Narrowing) -> str:
    words = ";".join(f"{name}={','.join(sorted(values))}" for name, values in sorted(chosen.items()))
    return (
        f"{layer.key}|{tile.z}/{tile.x}/{tile.y}|{words}|{edition}|{','.join(seen.parameters.get('scope_paths', ()))}"
    )


def layer_edition(layer: LayerSpec) -> str:
    """Return a text that changes whenever the rows of a layer do."""
    if layer.edition:
        return layer.edition
    edition = edition_of(layer.families)
    if layer.touched:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {layer.touched}")
            edition += f"-{cursor.fetchone()[0]}"
    return edition


def read_choices(layer: LayerSpec, query: Mapping[str, str]) -> dict[str, list[str]]:
    """Read the parameters that narrow a layer; parameters it does not declare are refused, not ignored."""
    known = {choice.name for choice in layer.choices}
    unknown = set(query) - known
    if unknown:
        raise BadInput(
            "parameter_unknown", f"图层“{layer.title}”没有参数 {'、'.join(sorted(unknown))}。", known=sorted(known)
        )
    chosen = {name: sorted({word.strip() for word in text.split(",") if word.strip()}) for name, text in query.items()}
    if any(len(words) > MAX_WORDS for words in chosen.values()):
        raise BadInput("parameter_too_long", f"一个参数最多 {MAX_WORDS} 个值。")
    return {name: words for name, words in chosen.items() if words}


def _source(layer: LayerSpec, zoom: int, chosen: Mapping[str, Sequence[str]], seen: Narrowing) -> TileSource | None:
    detail = layer.detail_at(zoom)
    if detail is None or zoom > layer.max_zoom:
        return None
    conditions = [detail.where, seen.where, *(choice.condition for choice in layer.choices if choice.name in chosen)]
    return TileSource(
        layer=layer.key,
        table=layer.table,
        columns=[f'{one.sql} AS "{one.name}"' for one in layer.attributes if one.tiled],
        where=" AND ".join(f"({condition})" for condition in conditions),
        parameters={**layer.parameters, **seen.parameters, **{name: list(values) for name, values in chosen.items()}},
        order=layer.order,
        cluster_px=layer.cluster_px if zoom < layer.cluster_below else 0,
    )
