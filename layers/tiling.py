"""From declared layers to the bytes of a tile: which rows at which zoom, narrowed how, seen by whom and from which edition."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from django.db import connection

from geo.answering import once
from geo.errors import BadInput
from geo.imports.queries import edition_of
from geo.scope import Scope
from layers.reading import Narrowing, seen_by
from layers.spec import Attribute, LayerSpec
from tiles.cache import cached_tile, keep_longer
from tiles.clusters import cluster_tile
from tiles.held import holds
from tiles.mvt import BLOCK, BLOCK_FROM, draw_block
from tiles.schemes import Tile
from tiles.source import Column, Drawn, TileSource

MAX_WORDS = 40
MOST_LAYERS: Final = 8
"""How many layers one tile may hold."""
DRAWING: Final = "2"
"""Changes with the way tiles are drawn, so that none of an older way is shown."""

Chosen = Mapping[str, Sequence[str]]


def layer_tile(
    *,
    layer: LayerSpec,
    tile: Tile,
    chosen: Chosen,
    scope: Scope | None = None,
    attributes: Sequence[Attribute] | None = None,
    edition: str | None = None,
    before_drawing: Callable[[], object] = lambda: None,
) -> Drawn:
    """Return a tile of any scheme, drawn at most once per edition and scope; empty where the layer does not begin yet.

    No scope is the public one; of a layer with a duty it sees no row. ``attributes`` are what features are to say (none: all that
    tiles carry). ``before_drawing`` is called when rows have to be read, and may refuse by raising: it must when an ``edition``
    is given that may have passed, for what is drawn then is kept under it.
    """
    edition = layer_edition(layer) if edition is None else edition
    source = tile_source(layer, tile.z, chosen=chosen, scope=scope, edition=edition, attributes=attributes)
    if source is None:
        return Drawn(b"")
    if source.clusters_at(tile.z) and holds(source, tile.scheme):
        return Drawn(cluster_tile(source, tile))
    return _kept_or_drawn(source, tile, before_drawing)


def _kept_or_drawn(source: TileSource, tile: Tile, before_drawing: Callable[[], object] = lambda: None) -> Drawn:
    def draw() -> dict[str, Drawn]:
        before_drawing()
        return {_key(source, each): drawn for each, drawn in draw_block(source, tile).items()}

    block = tile.z >= BLOCK_FROM and not source.clusters_at(tile.z)
    return cached_tile(_key(source, tile), draw, together=f"block {_key(source, tile.above(BLOCK))}" if block else "")


def layers_tile(
    *,
    layers: Sequence[LayerSpec],
    tile: Tile,
    chosen: Chosen,
    scope: Scope | None = None,
    attributes: Sequence[str] | None = None,
    editions: Mapping[str, str] | None = None,
    before_drawing: Callable[[], object] = lambda: None,
) -> Drawn:
    """Return one tile with a layer of its own for each of some layers: vector tiles one after the other are one vector tile.

    Each layer takes what it declares of ``chosen`` and, by name, of ``attributes``; ``editions`` are those by key, when known.
    """
    drawn = [
        layer_tile(
            layer=layer,
            tile=tile,
            chosen={one.name: chosen[one.name] for one in layer.choices if one.name in chosen},
            scope=scope,
            attributes=None if attributes is None else [one for one in layer.attributes if one.name in attributes],
            edition=None if editions is None else editions[layer.key],
            before_drawing=before_drawing,
        )
        for layer in layers
    ]
    return Drawn(b"".join(each.content for each in drawn), sum(each.dropped for each in drawn))


def preload_tile(*, layer: LayerSpec, tile: Tile, chosen: Chosen, edition: str) -> bytes | None:
    """Let a tile of an edition be kept for whoever asks next; return it when it had to be drawn, ``None`` when it was kept."""
    source = tile_source(layer, tile.z, chosen=chosen, edition=edition)
    if source is None or keep_longer(_key(source, tile)):
        return None
    return _kept_or_drawn(source, tile).content


def layer_edition(layer: LayerSpec) -> str:
    """Return a text that changes whenever the rows of a layer do."""
    return layer.edition or once(("layer edition", layer.key), lambda: edition_of_rows(layer.families, layer.touched))


def edition_of_rows(families: Sequence[str], touched: str) -> str:
    """Return a text that changes whenever rows of imports of some families do, or what constant SQL gives."""
    edition = edition_of(families)
    if touched:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {touched}")
            edition += f"-{cursor.fetchone()[0]}"
    return edition


def edition_of_all(layers: Sequence[LayerSpec]) -> str:
    """Return a text for addresses that changes whenever the rows of one of some layers do, or the way they are drawn."""
    return edition_named({layer.key: layer_edition(layer) for layer in layers})


def edition_named(editions: Mapping[str, str]) -> str:
    """Return the text for addresses of the editions of some layers by their keys."""
    said = "|".join((DRAWING, *(f"{key}:{edition}" for key, edition in editions.items())))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def read_choices(layers: Sequence[LayerSpec], query: Mapping[str, str]) -> dict[str, list[str]]:
    """Read the parameters that narrow some layers; parameters that none of them declares are refused, not ignored."""
    known = {choice.name for layer in layers for choice in layer.choices}
    unknown = set(query) - known
    if unknown:
        titles = "、".join(layer.title for layer in layers)
        raise BadInput(
            "parameter_unknown", f"图层“{titles}”没有参数 {'、'.join(sorted(unknown))}。", known=sorted(known)
        )
    if any("\x00" in text for text in query.values()):
        raise BadInput("parameter_invalid", "参数里有不能用的字符，请去掉。")
    chosen = {name: sorted({word.strip() for word in text.split(",") if word.strip()}) for name, text in query.items()}
    if any(len(words) > MAX_WORDS for words in chosen.values()):
        raise BadInput("parameter_too_long", f"一个参数最多 {MAX_WORDS} 个值。")
    return {name: words for name, words in chosen.items() if words}


def read_attributes(layers: Sequence[LayerSpec], text: str | None) -> list[str] | None:
    """Read ``properties=``, names with commas between ('' for none): what features are to say. None when it was not given.

    Names that none of the layers puts in its tiles are refused.
    """
    if text is None:
        return None
    asked = sorted({word.strip() for word in text.split(",") if word.strip()})
    known = {one.name for layer in layers for one in layer.attributes if one.tiled}
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise BadInput(
            "property_unknown", f"瓦片里没有属性 {'、'.join(name[:40] for name in unknown[:5])}。", known=sorted(known)
        )
    return asked


def tile_source(
    layer: LayerSpec,
    zoom: int,
    *,
    chosen: Chosen,
    edition: str,
    scope: Scope | None = None,
    attributes: Sequence[Attribute] | None = None,
) -> TileSource | None:
    """Return what a layer's tiles of a zoom are drawn from; none where it does not begin yet, or ends."""
    detail = layer.detail_at(zoom)
    if detail is None or zoom > layer.max_zoom:
        return None
    seen = seen_by(layer, scope or Scope.public())
    conditions = [detail.where, seen.where, *(choice.condition for choice in layer.choices if choice.name in chosen)]
    carried = [one for one in (layer.attributes if attributes is None else attributes) if one.tiled]
    names = [one.name for one in carried]
    return TileSource(
        layer=layer.key,
        geometry=layer.geometry,
        table=layer.table,
        columns=[Column(one.name, one.sql) for one in carried],
        where=" AND ".join(f"({condition})" for condition in conditions),
        parameters={**layer.parameters, **seen.parameters, **{name: list(values) for name, values in chosen.items()}},
        order=layer.order,
        cluster_px=layer.cluster_px,
        cluster_below=layer.cluster_below,
        counted=layer.counted if layer.counted in names else "",
        figures=[name for name in layer.figures if name in names],
        name="|".join((DRAWING, layer.key, edition, detail.where, _words(chosen), _paths(seen), ",".join(names))),
    )


def _key(source: TileSource, tile: Tile) -> str:
    return f"{source.name}|{tile.scheme.id}/{tile.z}/{tile.x}/{tile.y}"


def _words(chosen: Chosen) -> str:
    """Return what narrows a tile as a text of its own: no value can look like the name of another choice."""
    return urlencode([(name, value) for name, values in sorted(chosen.items()) for value in sorted(values)])


def _paths(seen: Narrowing) -> str:
    """Return who sees the same rows: '*' for those who see all, else the patterns of paths, of which there may be none."""
    return ",".join(sorted(seen.parameters["scope_paths"])) if "scope_paths" in seen.parameters else "*"
