"""Points counted together: which lie in one cell of the world's grid, how many of what, and at which zoom they come apart.

Cells are a whole number to a tile and each lies in one of the zoom above, so a cluster stands in one tile only, its parts add up,
and no two tiles tell of it differently. The points of a source are read once for all its tiles and held, in the order of a curve
that passes through a tile without leaving it; of too many to hold the database counts the cells of each tile.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geo.crs.codes import CGCS2000
from tiles.asking import ask
from tiles.encoding import EXTENT, Numbers, Properties, Value, encode_columns, encode_points
from tiles.schemes import PIXELS, Scheme, Tile
from tiles.source import TileSource

HOLD_POINTS: Final = 200_000
"""Of how many points a source may have to be held in memory."""
HOLD_ALL: Final = 600_000
"""How many points a process holds, of all sources."""

DRAWN_MOST: Final = 2_000
"""How many tiles of a source are held beside its points; one is some kilobytes."""


@dataclass(frozen=True, slots=True)
class Held:
    """The points of a source in a scheme, in the order of their cells at the deepest zoom that counts, then of their ids.

    ``across``, ``down`` are shares of the width of the world; ``facts`` are the columns of each; ``kinds`` point into ``words``,
    the names under which clusters say how many of a kind they hold, '' for none; ``figures`` are a column each, with NaN for
    none; ``drawn`` are tiles counted so far.
    """

    codes: npt.NDArray[np.int64]
    across: npt.NDArray[np.float64]
    down: npt.NDArray[np.float64]
    facts: list[tuple[Any, ...]]
    kinds: npt.NDArray[np.int64]
    words: list[str]
    figures: npt.NDArray[np.float64]
    drawn: dict[Tile, bytes] = field(default_factory=dict)


_ACROSS: Final = "(ST_X(t.geom) + 180.0) / 360.0"
_HELD: OrderedDict[tuple[str, str], Held] = OrderedDict()
_READING: dict[tuple[str, str], threading.Lock] = {}
_GUARD: Final = threading.Lock()
_COUNTING: Final = threading.Lock()
"""One counts at a time: numpy lets go of the interpreter with each step, and threads that fight for it take thrice as long."""


def cluster_tile(source: TileSource, tile: Tile) -> bytes:
    """Return a tile of counted points; slow SQL is ``Unavailable``."""
    held = _held(source, tile.scheme) if source.name else None
    if held is None:
        return encode_points(source.layer, _asked(source, tile))
    drawn = held.drawn.get(tile)
    if drawn is None:
        with _COUNTING:
            drawn = _counted(source, held, tile)
        if len(held.drawn) < DRAWN_MOST:
            held.drawn[tile] = drawn
    return drawn


def holds(source: TileSource, scheme: Scheme) -> bool:
    """Say whether this process holds the points of a source: then a tile is counted sooner than it is looked up anywhere."""
    with _GUARD:
        return (source.name, scheme.id) in _HELD


def cell_bits(source: TileSource) -> int:
    """Return how many times a tile's side is halved to give the side of a cell."""
    return max(0, round(math.log2(PIXELS / source.cluster_px)))


def curve(across: npt.NDArray[np.int64], down: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the place of cells on the Z curve: the bits of both numbers in turn; each below 2^31."""
    return _spread(across) | (_spread(down) << 1)


def interleaved(x: int, y: int) -> int:
    """Return the place of one cell on the Z curve."""
    found = 0
    for bit in range(max(x, y).bit_length()):
        found |= (x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1
    return found


def _spread(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    spread = numbers.astype(np.int64)
    for by, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
    ):
        spread = (spread | (spread << by)) & mask
    return (spread | (spread << 1)) & 0x5555555555555555


def _held(source: TileSource, scheme: Scheme) -> Held | None:
    """Return the points of a source, read by one thread while others wait; none when there are too many to hold."""
    key = (source.name, scheme.id)
    with _GUARD:
        if key in _HELD:
            _HELD.move_to_end(key)
            return _HELD[key]
        reading = _READING.setdefault(key, threading.Lock())
    try:
        with reading:
            with _GUARD:
                if key in _HELD:
                    return _HELD[key]
            found = _read(source, scheme)
            if found is not None:
                _hold(key, found)
            return found
    finally:
        with _GUARD:
            _READING.pop(key, None)


def _hold(key: tuple[str, str], found: Held) -> None:
    with _GUARD:
        _HELD[key] = found
        while len(_HELD) > 1 and sum(len(each.codes) + 1000 for each in _HELD.values()) > HOLD_ALL:
            _HELD.popitem(last=False)


def _read(source: TileSource, scheme: Scheme) -> Held | None:
    inner = f"FROM {source.table} t WHERE t.geom IS NOT NULL AND ({source.where})"
    [(many,)] = ask(f"SELECT count(*) FROM (SELECT 1 {inner} LIMIT {HOLD_POINTS + 1}) s", source.parameters)
    if many > HOLD_POINTS:
        return None
    columns = "".join(f", {column.sql}" for column in source.columns)
    rows = ask(f"SELECT t.id, {_ACROSS}, {_down(scheme)}{columns} {inner}", source.parameters)
    across, down = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2))
    side = 1 << _deepest(source)
    codes = curve(*(np.floor(share * side).astype(np.int64) for share in (across, down)))
    order = np.lexsort((np.array([row[0] for row in rows], dtype=np.int64), codes))
    facts = [rows[place][3:] for place in order]
    words, kinds = _sorts(source, facts)
    return Held(codes[order], across[order], down[order], facts, kinds, words, _figures(source, facts))


def _deepest(source: TileSource) -> int:
    return source.cluster_below - 1 + cell_bits(source)


def _sorts(source: TileSource, facts: list[tuple[Any, ...]]) -> tuple[list[str], npt.NDArray[np.int64]]:
    if not source.counted:
        return [], np.zeros(len(facts), dtype=np.int64)
    place = [column.name for column in source.columns].index(source.counted)
    said = ["" if fact[place] is None else str(fact[place]) for fact in facts]
    words = sorted(set(said))
    numbers = {word: number for number, word in enumerate(words)}
    names = [word and f"{source.counted}:{word}" for word in words]
    return names, np.array([numbers[word] for word in said], dtype=np.int64)


def _figures(source: TileSource, facts: list[tuple[Any, ...]]) -> npt.NDArray[np.float64]:
    names = [column.name for column in source.columns]
    places = [names.index(name) for name in source.figures]
    figures = [[math.nan if fact[place] is None else float(fact[place]) for place in places] for fact in facts]
    return np.array(figures, dtype=np.float64).reshape(len(facts), len(places))


def _counted(source: TileSource, held: Held, tile: Tile) -> bytes:
    """Return a tile of the cells of points that are held."""
    deepest, bits = _deepest(source), cell_bits(source)
    first = interleaved(tile.x, tile.y) << 2 * (deepest - tile.z)
    begin, end = held.codes.searchsorted([first, first + (1 << 2 * (deepest - tile.z))]).tolist()
    if begin == end:
        return b""
    inside = slice(begin, end)
    codes = held.codes[inside]
    cells = codes >> 2 * (deepest - tile.z - bits)
    bounds = np.concatenate(([0], (cells[1:] != cells[:-1]).nonzero()[0] + 1, [len(cells)]))
    starts, counts = bounds[:-1], bounds[1:] - bounds[:-1]
    xs, ys = (
        np.floor((np.add.reduceat(share[inside], starts) / counts * (1 << tile.z) - origin) * EXTENT).astype(np.int64)
        for share, origin in ((held.across, tile.x), (held.down, tile.y))
    )
    told = Properties()
    alone = (counts == 1).nonzero()[0]
    facts = (held.facts[place] for place in (begin + starts[alone]).tolist())
    told.say_each((cell, _alone(source, fact)) for cell, fact in zip(alone.tolist(), facts, strict=True))
    crowds = (counts > 1).nonzero()[0]
    if len(crowds):
        told.say_all(crowds, "count", told.whole(counts[crowds]))
        apart = _apart(source, codes[starts[crowds]], codes[bounds[crowds + 1] - 1])
        told.say_all(crowds, "expansion_zoom", told.whole(apart))
        _say_kinds(told, held, held.kinds[inside], counts)
        _say_figures(told, source, held.figures[inside], starts, counts)
    return encode_columns(source.layer, xs, ys, told)


def _apart(source: TileSource, lows: Numbers, highs: Numbers) -> Numbers:
    """Return the zooms at which clusters part, by the least and the greatest code in each."""
    parted = _deepest(source) - cell_bits(source) - (np.frexp((lows ^ highs).astype(np.float64))[1] - 1) // 2
    return np.where(lows == highs, source.cluster_below, parted)


def _say_kinds(told: Properties, held: Held, kinds: Numbers, counts: Numbers) -> None:
    """Let clusters say how many of their points are of each kind."""
    if not held.words:
        return
    many = len(held.words)
    numbers = np.bincount(np.arange(0, len(counts) * many, many).repeat(counts) + kinds)
    there = numbers.nonzero()[0]
    cells, sorts = np.divmod(there, many)
    spoken = counts[cells] > 1
    if not held.words[0]:  # '' sorts first
        spoken &= sorts > 0
    there, cells, sorts = there[spoken], cells[spoken], sorts[spoken]
    names = np.bincount(sorts, minlength=many)
    named = names.nonzero()[0]
    names[named] = [told.name(held.words[sort]) for sort in named.tolist()]
    told.say(cells, names[sorts], told.whole(numbers[there]))


def _say_figures(
    told: Properties, source: TileSource, figures: npt.NDArray[np.float64], starts: Numbers, counts: Numbers
) -> None:
    """Let clusters say sum, least and most of each figure, where any of their points has it."""
    for name, column in zip(source.figures, figures.T, strict=True):
        missing = np.isnan(column)
        known = ((counts > 1) & (np.add.reduceat(~missing, starts, dtype=np.int64) > 0)).nonzero()[0]
        for part, gather, instead in (("sum", np.add, 0.0), ("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
            found = gather.reduceat(np.where(missing, instead, column), starts)[known]
            places = np.array([told.value(value) for value in found.tolist()], dtype=np.int64)
            told.say_all(known, f"{name}:{part}", places)


def _alone(source: TileSource, fact: tuple[Any, ...]) -> dict[str, Value]:
    return {column.name: _plain(value) for column, value in zip(source.columns, fact, strict=True)}


def _plain(value: Any) -> Value:
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _asked(source: TileSource, tile: Tile) -> Iterator[tuple[int, int, Mapping[str, Value]]]:
    """Yield the cells of a tile as the database counts them: the same as of points that are held."""
    deepest, bits = _deepest(source), cell_bits(source)
    west, south, east, north = tile.with_margin(1e-6)
    world, size, cells = 1 << tile.z, len(source.columns), 1 << bits
    counted = next((column.sql for column in source.columns if column.name == source.counted), "NULL")
    named = {column.name: column.sql for column in source.columns}
    picked = "".join(f', ({named[name]})::float8 AS "figure {number}"' for number, name in enumerate(source.figures))
    told = "".join(
        f', sum("figure {number}"), min("figure {number}"), max("figure {number}")'
        for number in range(len(source.figures))
    )
    statement = f"""WITH points AS (
  SELECT t.id, {_ACROSS} AS across, {_down(tile.scheme)} AS down, ({counted})::text AS word{picked}
  FROM {source.table} t
  WHERE t.geom && ST_MakeEnvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {CGCS2000}) AND ({source.where})
), inside AS (
  SELECT *, floor((across * {world} - {tile.x}) * {cells})::int AS cx, floor((down * {world} - {tile.y}) * {cells})::int AS cy
  FROM points
), cells AS (
  SELECT cx, cy, count(*) AS many, avg(across) AS across, avg(down) AS down, min(id) AS first,
         floor(min(across) * {1 << deepest})::bigint # floor(max(across) * {1 << deepest})::bigint AS apart_x,
         floor(min(down) * {1 << deepest})::bigint # floor(max(down) * {1 << deepest})::bigint AS apart_y,
         CASE WHEN count(*) > 1 THEN array_agg(word) END AS words{told}
  FROM inside WHERE cx BETWEEN 0 AND {cells - 1} AND cy BETWEEN 0 AND {cells - 1} GROUP BY cx, cy
)
SELECT cells.*{"".join(f", {column.sql}" for column in source.columns)}
FROM cells LEFT JOIN {source.table} t ON t.id = cells.first ORDER BY cells.first"""
    box = {"tile_west": west, "tile_south": south, "tile_east": east, "tile_north": north}
    for row in ask(statement, {**source.parameters, **box}):
        _, _, many, across, down, _, apart_x, apart_y, words, *rest = row
        x, y = (math.floor((share * world - origin) * EXTENT) for share, origin in ((across, tile.x), (down, tile.y)))
        if many == 1:
            yield x, y, _alone(source, tuple(rest[-size:] if size else ()))
            continue
        parts = max(apart_x, apart_y)
        kinds = Counter(f"{source.counted}:{word}" for word in sorted(filter(None, words)))
        zoom = deepest - (parts.bit_length() - 1) - bits if parts else source.cluster_below
        said: dict[str, Value] = {"count": many, "expansion_zoom": zoom, **kinds}
        for number, name in enumerate(source.figures):
            figures = rest[3 * number : 3 * number + 3]
            if figures[0] is not None:
                said |= {
                    f"{name}:{part}": float(value) for part, value in zip(("sum", "min", "max"), figures, strict=True)
                }
        yield x, y, said


def _down(scheme: Scheme) -> str:
    if scheme.srid == CGCS2000:
        return "(90.0 - ST_Y(t.geom)) / 360.0"
    return "(1.0 - asinh(tan(radians(ST_Y(t.geom)))) / pi()) / 2.0"
