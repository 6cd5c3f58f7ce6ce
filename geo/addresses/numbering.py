"""Where a number of a road lies that is on no record, judged by the numbers that are known and by where the road is seen to run.

Numbers grow along a road at a pace that hardly varies. Each way in which they may grow is a hypothesis: away from a known number
in any direction, or from either end of the road. The known numbers correct every hypothesis (a Gaussian process along the
numbering, in which a number that fits none of them counts little) and tell how likely it is. What remains possible is a cloud of
weighted points; the answer is its middle, with the radius that holds nine tenths. Pure: numpy and scipy, no database.

The figures were fitted on the lanes of a real list, a fifth of them left out in turn (``./run bench addresses``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EARTH_M: Final = 6371008.8
APART_M: Final = 1250.0
"""Points of one name that are further than this from all others stand on another road of that name."""
MOST_KNOWN: Final = 16
"""Known numbers that are looked at, the nearest ones."""

PACE_M: Final = 2.05
"""Metres from one number to the next, both sides of the road counted."""
PACES: Final = np.array([0.55, 0.75, 0.88, 1.0, 1.12, 1.3, 1.6])
PACE_SPREAD: Final = 0.18
DIRECTIONS: Final = np.array([(math.cos(angle), math.sin(angle)) for angle in np.arange(16) * math.pi / 8])

STRAY_M: Final = 3.5
"""Standard deviation of the pace about a straight line from a known number, in metres a number."""
STRAY_FROM_END_M: Final = 2.1
"""The same about the run of the road from its end."""
WAVER_M: Final = 200.0
WAVER_NUMBERS: Final = 630.0
"""How far numbers waver about an even pace, in metres, and over how many numbers they do."""
SIDE_M: Final = 60.0
"""How far the two sides of a road waver apart."""
LEVEL_M: Final = 6000.0
"""How far the first number of a hypothesis may lie from where it begins."""
END_M: Final = 690.0
"""How far numbers may begin from the end of what is known of the road."""
LANE_M: Final = 66.0
DOOR_M: Final = 17.0
"""How far the middle of a lane, or a door, lies from the point at which its number comes along the road."""
POINT_SHARE: Final = 0.22
"""How far a point may be wrong besides, for each metre of the radius it states."""
MISFIT: Final = 6.7
"""Squared standard deviations beyond which a known number counts less."""
CAUTION: Final = 0.19
"""Errors of lists hang together; the power to which a likelihood is believed."""
RUN_M: Final = 160.0
OFF_RUN: Final = 0.05
"""How near to the run of its road a place is expected, and the share of those that are not."""
ONE_POINT_M: Final = 850.0
"""How far a place may lie from the only point that is known of its road."""
RARE_NUMBERS: Final = 170.0
"""A road whose known numbers are this much further from the one asked for is e times less likely."""
BETWEEN, BEYOND, UNSEEN = 1.36, 1.25, 0.94
"""By how much the radius is larger than the cloud has it: between known numbers, beyond the last one, and where none is known."""
LISTED: Final = 1.4
"""How far the place itself is listed astray, for each metre it may lie off its number."""

# A cloud about a point, as rings that hold parts of a normal distribution in two dimensions.
_RINGS: Final = ((0.0, 1, 0.02, 0.0), (0.72, 12, 0.38, 0.0), (1.35, 12, 0.40, 0.26), (2.15, 12, 0.20, 0.13))
_OFFSETS: Final = np.array(
    [
        (radius * math.cos(turn + step * math.tau / steps), radius * math.sin(turn + step * math.tau / steps))
        for radius, steps, _, turn in _RINGS
        for step in range(steps)
    ]
)
_SHARES: Final = np.array([share / steps for _, steps, share, _ in _RINGS for _ in range(steps)])


class Known(NamedTuple):
    """A number of a road on record, of a lane or of a door: its point in degrees, and the radius that this states in metres."""

    number: int
    lon: float
    lat: float
    uncertainty_m: float
    lane: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """Where a number may be, in degrees; the radius that holds it nine times in ten; the known numbers next to it, if any.

    ``share`` says how likely it is this road, among several of one name.
    """

    lon: float
    lat: float
    radius_m: float
    below: int | None
    above: int | None
    share: float


@dataclass(frozen=True, slots=True)
class _Road:
    """One road of a name, in metres about a point of its own."""

    numbers: Floats
    points: Floats
    astray_m: Floats
    """How far each of these may lie off its number."""
    listed_m: Floats
    """How far each of the points may be wrong."""
    run: Floats
    """Points known to lie on the road, in no order."""


class _Ways(NamedTuple):
    """Hypotheses: where each puts the number, how likely it is (a logarithm), and the spread that remains, in metres."""

    at: Floats
    likelihood: Floats
    spread_m: Floats


def guess_number(number: int, known: Sequence[Known], run: Sequence[tuple[float, float]], *, lane: bool) -> list[Guess]:
    """Return where a number of a road, of a ``lane`` or of a door, may be: a guess for each road of the name, likeliest first.

    ``known`` are numbers of the name, ``run`` points (lon, lat) at which a road of the name is seen to run. Empty when there
    are neither. Lanes and doors share one numbering, so lane 100 tells where door 100 is.
    """
    if not known and not run:
        return []
    degrees = np.array([(row.lon, row.lat) for row in known] + list(run), dtype=np.float64)
    origin = degrees[0]
    scale = math.radians(1.0) * EARTH_M * np.array([math.cos(math.radians(origin[1])), 1.0])
    guesses, weights = [], []
    for road in _roads_apart(known, (degrees - origin) * scale):
        # a place is listed no better than its neighbours are
        astray = math.hypot(LANE_M if lane else DOOR_M, float(np.median(road.listed_m)) if len(road.numbers) else 0.0)
        middle, radius = _narrowest(*_cloud(number, road, astray))
        lon, lat = origin + middle / scale
        below, above = _neighbours(number, road.numbers)
        careful = UNSEEN if below is None and above is None else BEYOND if below is None or above is None else BETWEEN
        radius = math.hypot(careful * radius, LISTED * astray)
        guesses.append((float(lon), float(lat), radius, below, above))
        gap = float(np.abs(road.numbers - number).min()) if len(road.numbers) else 2 * RARE_NUMBERS
        weights.append((1.0 + len(road.numbers) + 0.3 * len(road.run)) * math.exp(-gap / RARE_NUMBERS))
    total = sum(weights) or 1.0
    found = [Guess(*guess, share=weight / total) for guess, weight in zip(guesses, weights, strict=True)]
    return sorted(found, key=lambda guess: (-guess.share, guess.radius_m))


def _neighbours(number: int, numbers: Floats) -> tuple[int | None, int | None]:
    below, above = numbers[numbers <= number], numbers[numbers >= number]
    return (int(below.max()) if len(below) else None, int(above.min()) if len(above) else None)


def _roads_apart(known: Sequence[Known], points: Floats) -> list[_Road]:
    """Return the roads of one name: what lies within reach of each other, from point to point, is one of them."""
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import, and few need it
    from scipy.spatial.distance import pdist

    of = (
        fcluster(linkage(pdist(points), "single"), APART_M, "distance")
        if len(points) > 1
        else np.ones(1, dtype=np.int32)
    )
    numbers = np.array([row.number for row in known], dtype=np.float64)
    astray = np.array([LANE_M if row.lane else DOOR_M for row in known])
    listed = np.array([POINT_SHARE * row.uncertainty_m for row in known])
    roads = []
    for road in np.unique(of):
        numbered = of[: len(known)] == road
        run = points[len(known) :][of[len(known) :] == road]
        roads.append(_Road(numbers[numbered], points[: len(known)][numbered], astray[numbered], listed[numbered], run))
    return roads


def _cloud(number: int, road: _Road, astray_m: float) -> tuple[Floats, Floats]:
    """Return what is possible: points and their weights, which sum to one. ``astray_m`` is what the place lies off its number."""
    ways = _ways(number, road)
    spread_m = np.hypot(ways.spread_m, astray_m)
    likely = np.exp(ways.likelihood - ways.likelihood.max())
    likely /= likely.sum()
    kept = likely > 0.002
    points = (ways.at[kept, None, :] + spread_m[kept, None, None] * _OFFSETS).reshape(-1, 2)
    weights = (likely[kept, None] * _SHARES).reshape(-1)
    if len(road.run):
        off = ((points[:, None, :] - road.run[None]) ** 2).sum(axis=2).min(axis=1)
        weights = weights * (OFF_RUN + np.exp(-off / (2 * RUN_M**2)))
    return points, weights / weights.sum()


def _ways(number: int, road: _Road) -> _Ways:
    """Return every hypothesis of how the numbers of a road grow, corrected by the known numbers nearest to the one asked for."""
    nearest = np.argsort(np.abs(road.numbers - number), kind="stable")[:MOST_KNOWN]
    columns = (road.numbers, road.points, road.astray_m, road.listed_m)
    numbers, points, astray_m, listed_m = (column[nearest] for column in columns)
    road = _Road(numbers, points, astray_m, listed_m, road.run)
    ways = []
    if len(road.numbers):
        growth = PACE_M * DIRECTIONS[:, None, :] * (road.numbers - number)[None, :, None]
        here = np.repeat(road.points[:1], len(DIRECTIONS), axis=0)
        even = np.full(len(DIRECTIONS), -math.log(len(DIRECTIONS)))
        ways.append(_corrected(number, road, here, here[:, None, :] + growth, even, from_end=False))
    course = _course(road.run)
    if len(course) > 1:
        steps = PACE_M * PACES
        prior = -0.5 * (np.log(PACES) / PACE_SPREAD) ** 2
        prior -= math.log(2.0 * np.exp(prior).sum())
        for line in (course, course[::-1]):
            at, expected = _along(line, steps * number), _along(line, steps[:, None] * road.numbers[None, :])
            ways.append(_corrected(number, road, at, expected, prior, from_end=True))
    elif not ways:
        return _Ways(course, np.zeros(1), np.full(1, ONE_POINT_M))
    return _Ways(*(np.concatenate(columns) for columns in zip(*ways, strict=True)))


def _corrected(number: int, road: _Road, at: Floats, expected: Floats, prior: Floats, *, from_end: bool) -> _Ways:
    """Correct hypotheses by what is known: ``at`` (h, 2) is where each puts the number, ``expected`` (h, k, 2) the known ones."""
    stray = STRAY_FROM_END_M if from_end else STRAY_M
    level = END_M if from_end else LEVEL_M
    since = 0 if from_end else number
    grown, asked = stray * (road.numbers - since), stray * (number - since)
    variance = WAVER_M**2 + SIDE_M**2 + level**2 + asked**2
    if not len(road.numbers):
        return _Ways(at, prior, np.full(len(at), math.sqrt(variance)))
    between = np.outer(grown, grown) + _alike(road.numbers[:, None] - road.numbers[None, :]) + level**2
    to_asked = grown * asked + _alike(road.numbers - number) + level**2
    astray, doubt = road.points[None] - expected, np.ones(len(road.numbers))
    for _ in range(4):
        inverse = np.linalg.inv(between + np.diag((road.astray_m**2 + road.listed_m**2) * doubt))
        solved = np.einsum("ij,hjc->hic", inverse, astray)
        misfit = (astray * solved).sum(axis=(1, 2))
        likelihood = prior - CAUTION * (0.5 * misfit - np.linalg.slogdet(inverse)[1])
        if len(road.numbers) < 3:
            break
        # each known number against what all the others make of it
        weight = np.exp(likelihood - likelihood.max())
        left = np.einsum("h,hic->ic", weight / weight.sum(), solved)
        strange = (left**2).sum(axis=1) / np.diag(inverse)
        doubted = np.where(strange > MISFIT, doubt * strange / MISFIT, np.maximum(1.0, 0.6 * doubt))
        if np.allclose(doubted, doubt, rtol=0.1):
            break
        doubt = doubted
    remains = variance - float(to_asked @ inverse @ to_asked)
    spread = np.full(len(at), math.sqrt(max(remains, 1.0)))
    return _Ways(at + np.einsum("i,hic->hc", to_asked, solved), likelihood, spread)


def _alike(apart: Floats) -> Floats:
    """Return how much two numbers this far apart waver together, in square metres; those of one side do so more."""
    alike: Floats = WAVER_M**2 * np.exp(-np.abs(apart) / WAVER_NUMBERS) + SIDE_M**2 * (apart % 2 == 0)
    return alike


def _course(run: Floats) -> Floats:
    """Return the line (n, 2) along which a road runs from one end to the other, from points on it in no order."""
    if len(run) < 2:
        return run
    middle = run.mean(axis=0)
    along = (run - middle) @ np.linalg.svd(run - middle, full_matrices=False)[2][0]
    stretch = np.floor((along - along.min()) / 300.0).astype(int)
    return np.array([run[stretch == each].mean(axis=0) for each in np.unique(stretch)])


def _along(line: Floats, metres: Floats) -> Floats:
    """Return the points at distances along a line, beyond its end in the direction of its last part."""
    steps = np.diff(line, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    reached = np.concatenate(([0.0], np.cumsum(lengths)))
    part = np.clip(np.searchsorted(reached, metres) - 1, 0, len(steps) - 1)
    share = (metres - reached[part]) / np.maximum(lengths[part], 1.0)
    points: Floats = line[part] + share[..., None] * steps[part]
    return points


def _narrowest(points: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return the middle from which the radius that holds nine tenths of the weight is smaller: the mean or the median point."""
    mean: Floats = weights @ points
    slack = 0.3 * float(weights @ _metres(points, mean))
    median = mean
    for _ in range(3):
        pull = weights / (_metres(points, median) + slack)
        median = (pull @ points) / pull.sum()
    return min(((middle, _holding(points, weights, middle)) for middle in (mean, median)), key=lambda found: found[1])


def _holding(points: Floats, weights: Floats, middle: Floats) -> float:
    metres = _metres(points, middle)
    order = np.argsort(metres)
    held = np.cumsum(weights[order])
    return float(metres[order][np.searchsorted(held, 0.9 * held[-1])])


def _metres(points: Floats, middle: Floats) -> Floats:
    metres: Floats = np.hypot(points[:, 0] - middle[0], points[:, 1] - middle[1])
    return metres
