"""Points of a source held by the process, and the cells they lie in at each zoom: what tiles of counted points are cut from.

The points are read once for an edition and stand in the order of a curve that passes through a tile without leaving it. The cells
of a zoom are counted once for the whole world, so a tile is a piece of them.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geo.crs.codes import CGCS2000
from tiles.asking import ask
from tiles.encoding import (
    EXTENT,
    Column,
    Fields,
    Numbers,
    Said,
    Value,
    encode_features,
    names_and_values,
    said_by,
    say_each,
)
from tiles.schemes import Scheme, Tile
from tiles.source import TileSource

HOLD_POINTS: Final = 200_000
"""Of how many points a source may have to be held in memory."""
HOLD_ALL: Final = 600_000
"""How many points a process holds, of all sources."""

ACROSS: Final = "(ST_X(t.geom) + 180.0) / 360.0"
"""Constant SQL: how far across the world a point lies, as a share of its width."""

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a zoom that hold points, in the order of the curve.

    ``xs``, ``ys`` say where each is drawn, in units of a tile from the corner of the world; ``said`` what it says.
    """

    codes: Numbers
    xs: Numbers
    ys: Numbers
    said: Said


@dataclass(frozen=True, slots=True)
class Held:
    """The points of a source in a scheme, in the order of their cells at the deepest zoom that counts, then of their ids.

    ``across``, ``down`` are shares of the width of the world; ``said`` is what each says when it stands alone; ``kinds`` point
    into ``words``, the names under which clusters say how many of a kind they hold, '' for none; ``figures`` are a column each,
    with NaN for none; ``cells`` are those of the zooms that were asked for.
    """

    codes: Numbers
    across: Shares
    down: Shares
    said: Said
    names: Fields
    values: Fields
    kinds: Numbers
    words: list[str]
    figures: Shares
    cells: dict[int, Cells] = field(default_factory=dict)


_HELD: OrderedDict[tuple[str, str], Held] = OrderedDict()
_READING: dict[tuple[str, str], threading.Lock] = {}
_GUARD: Final = threading.Lock()
_COUNTING: Final = threading.Lock()
"""One counts at a time: numpy lets go of the interpreter with each step, and threads that fight for it take thrice as long."""


def held_points(source: TileSource, scheme: Scheme) -> Held | None:
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


def holds(source: TileSource, scheme: Scheme) -> bool:
    """Say whether this process holds the points of a source: then a tile is counted sooner than it is looked up anywhere."""
    with _GUARD:
        return (source.name, scheme.id) in _HELD


def held_tile(source: TileSource, held: Held, tile: Tile) -> bytes:
    """Return a tile of the cells of points that are held."""
    cells = held.cells.get(tile.z) or _counted(source, held, tile.z)
    bits = source.cell_bits
    first = interleaved(tile.x, tile.y) << 2 * bits
    codes = cells.codes.data
    begin = bisect_left(codes, first)
    end = bisect_left(codes, first + (1 << 2 * bits), lo=begin)
    xs, ys = cells.xs[begin:end] - tile.x * EXTENT, cells.ys[begin:end] - tile.y * EXTENT
    return encode_features(source.layer, xs, ys, cells.said.of(begin, end), held.names, held.values)


def _counted(source: TileSource, held: Held, z: int) -> Cells:
    with _COUNTING:
        if z not in held.cells:
            held.cells[z] = _count(source, held, z)
        return held.cells[z]


def down_of(scheme: Scheme) -> str:
    """Return constant SQL: how far down a scheme's world a point lies, as a share of its width."""
    if scheme.srid == CGCS2000:
        return "(90.0 - ST_Y(t.geom)) / 360.0"
    return "(1.0 - asinh(tan(radians(ST_Y(t.geom)))) / pi()) / 2.0"


def alone(source: TileSource, fact: tuple[Any, ...]) -> dict[str, Value]:
    """Return what a point says when it stands alone."""
    return {column.name: _plain(value) for column, value in zip(source.columns, fact, strict=True)}


def _plain(value: Any) -> Value:
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def curve(across: Numbers, down: Numbers) -> Numbers:
    """Return the place of cells on the Z curve: the bits of both numbers in turn; each below 2^31."""
    return _spread(across) | (_spread(down) << 1)


def interleaved(x: int, y: int) -> int:
    """Return the place of one cell on the Z curve."""
    found = 0
    for bit in range(max(x, y).bit_length()):
        found |= (x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1
    return found


def _spread(numbers: Numbers) -> Numbers:
    spread = numbers.astype(np.int64)
    for by, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
    ):
        spread = (spread | (spread << by)) & mask
    return (spread | (spread << 1)) & 0x5555555555555555


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
    rows = ask(f"SELECT t.id, {ACROSS}, {down_of(scheme)}{columns} {inner}", source.parameters)
    across, down = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2))
    side = 1 << source.deepest
    codes = curve(*(np.floor(share * side).astype(np.int64) for share in (across, down)))
    order = np.lexsort((np.array([row[0] for row in rows], dtype=np.int64), codes))
    facts = [rows[place][3:] for place in order]
    names, values = names_and_values()
    said = said_by([say_each(enumerate(alone(source, fact) for fact in facts), names, values)], len(facts))
    values.settle()
    words, kinds = _sorts(source, facts)
    return Held(codes[order], across[order], down[order], said, names, values, kinds, words, _figures(source, facts))


def _sorts(source: TileSource, facts: list[tuple[Any, ...]]) -> tuple[list[str], Numbers]:
    if not source.counted:
        return [], np.zeros(len(facts), dtype=np.int64)
    place = [column.name for column in source.columns].index(source.counted)
    said = ["" if fact[place] is None else str(fact[place]) for fact in facts]
    words = sorted(set(said))
    numbers = {word: number for number, word in enumerate(words)}
    names = [word and f"{source.counted}:{word}" for word in words]
    return names, np.array([numbers[word] for word in said], dtype=np.int64)


def _figures(source: TileSource, facts: list[tuple[Any, ...]]) -> Shares:
    names = [column.name for column in source.columns]
    places = [names.index(name) for name in source.figures]
    figures = [[math.nan if fact[place] is None else float(fact[place]) for place in places] for fact in facts]
    return np.array(figures, dtype=np.float64).reshape(len(facts), len(places))


def _count(source: TileSource, held: Held, z: int) -> Cells:
    """Count the points in the cells of a zoom."""
    codes = held.codes >> 2 * (source.deepest - z - source.cell_bits)
    starts = np.concatenate((np.ones(len(codes[:1]), dtype=bool), codes[1:] != codes[:-1])).nonzero()[0]
    ends = np.append(starts[1:], len(codes))[: len(starts)]
    counts = ends - starts
    xs, ys = (
        np.floor(np.add.reduceat(share, starts) / counts * (EXTENT << z)).astype(np.int64)
        for share in (held.across, held.down)
    )
    lone, crowds = (counts == 1).nonzero()[0], (counts > 1).nonzero()[0]
    of_lone, names, values = held.said.each(starts[lone])
    apart = _apart(source, held.codes[starts[crowds]], held.codes[ends[crowds] - 1])
    columns = [
        (lone[of_lone], names, values),
        _said_by_all(held, crowds, "count", counts[crowds]),
        _said_by_all(held, crowds, "expansion_zoom", apart),
        *_kinds_said(held, counts),
        *_figures_said(source, held, starts, counts),
    ]
    return Cells(codes[starts], xs, ys, said_by(columns, len(starts)))


def _said_by_all(held: Held, features: Numbers, name: str, numbers: npt.NDArray[Any]) -> Column:
    return features, np.full(len(features), held.names.place(name)), held.values.places_of(numbers)


def _apart(source: TileSource, lows: Numbers, highs: Numbers) -> Numbers:
    """Return the zooms at which clusters part, by the least and the greatest code in each."""
    parted = source.deepest - source.cell_bits - (np.frexp((lows ^ highs).astype(np.float64))[1] - 1) // 2
    return np.where(lows == highs, source.cluster_below, parted)


def _kinds_said(held: Held, counts: Numbers) -> list[Column]:
    """Return how many of their points clusters say to be of each kind."""
    if not held.words:
        return []
    many = len(held.words)
    numbers = np.bincount(np.arange(0, len(counts) * many, many).repeat(counts) + held.kinds)
    there = numbers.nonzero()[0]
    cells, sorts = np.divmod(there, many)
    spoken = counts[cells] > 1
    if not held.words[0]:  # '' sorts first
        spoken &= sorts > 0
    there, cells, sorts = there[spoken], cells[spoken], sorts[spoken]
    names = np.array([held.names.place(word) if word else 0 for word in held.words], dtype=np.int64)
    return [(cells, names[sorts], held.values.places_of(numbers[there]))]


def _figures_said(source: TileSource, held: Held, starts: Numbers, counts: Numbers) -> list[Column]:
    """Return sum, least and most of each figure, where any of the points of a cluster has it."""
    said = []
    for name, column in zip(source.figures, held.figures.T, strict=True):
        missing = np.isnan(column)
        known = ((counts > 1) & (np.add.reduceat(~missing, starts, dtype=np.int64) > 0)).nonzero()[0]
        for part, gather, instead in (("sum", np.add, 0.0), ("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
            found = gather.reduceat(np.where(missing, instead, column), starts)[known]
            said.append(_said_by_all(held, known, f"{name}:{part}", found))
    return said
