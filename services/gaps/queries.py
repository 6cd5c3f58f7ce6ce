"""Reads of gaps: what is measured, and how many people of each region live within some minutes of the nearest place of a kind.

Of persons only whole committees that may be told are counted (``services.fencing.selecting.residents``), and only in whole tens:
between any two figures, of any minutes, ages or regions, lie none or at least ten.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection

from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.land import kept
from geo.errors import BadInput, NotFound
from geo.grids.cells import cell_at, parent_masks
from geo.jobs.models import Job, JobState
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from layers.disclosure import K
from routing.graph import NoGraph
from routing.nearest import reach_of_many, seconds_at
from routing.places import doors_at
from services.access.queries import check_duty
from services.facilities.ground import current_graph
from services.facilities.kinds import Kind, all_kinds
from services.fencing.selecting.residents import BANDS, Committees, Counted, committees_told
from services.gaps.duties import VIEW
from services.gaps.ground import Floats, Ground, metres_of, stamp_of
from services.gaps.measuring import MINUTES, NOWHERE, WALK, Walks, walks_of
from services.gaps.models import GapGround, GapWalk
from services.gaps.places import NO_PLACES, stamps

KIND: Final = "gaps.measure"
AGES: Final[Mapping[str, tuple[int, int, str]]] = {
    "all": (0, 200, "全部居民"),
    "0-2": (0, 2, "0–2 岁"),
    "3-5": (3, 5, "3–5 岁"),
    "6-59": (6, 59, "6–59 岁"),
    "60-": (60, 200, "60 岁及以上"),
    "80-": (80, 200, "80 岁及以上"),
}
"""Ages that may be asked for: bands of the residents that are told, or several of them."""
PRESETS: Final = {"childcare": "0-2", "preschool": "3-5", "eldercare": "60-"}
"""Whom a group of kinds is for; others are for all."""
RESOLUTION_OF: Final = {Level.CITY: 8, Level.DISTRICT: 9, Level.STREET: 10, Level.COMMITTEE: 10}
"""How fine the map of a region is: some ten thousand cells at most."""
SORTS: Final = {"gap": "缺口人数", "percent": "覆盖率", "mean": "平均分钟"}
CLASSES_MIN: Final = (5, 10, 15, 30)
"""Upper ends of the classes of minutes, the last class being open."""
CLASSES_PERCENT: Final = (20, 40, 60, 80)
AROUND: Final = 14
"""Rings of cells around a point that hold all that is reached within the longest of ``MINUTES``."""
_grounds: dict[object, Ground] = {}
_walks: dict[object, Walks] = {}


@dataclass(frozen=True, slots=True)
class Line:
    """A region, or all that is asked for. ``None`` says that it is not known; ``hidden`` committees are not told of.

    ``residents`` and those ``within`` each of ``MINUTES`` are of told committees, in whole tens; ``mean_s`` is their mean walk in
    seconds, or that of all homes where of nobody may be told.
    """

    region: NamedRegion | None
    residents: int | None
    within: tuple[int, ...]
    mean_s: float | None
    hidden: int

    def covered(self, minutes: int) -> int | None:
        """Return how many live within the minutes."""
        return None if self.residents is None else self.within[MINUTES.index(minutes)]

    def gap(self, minutes: int) -> int | None:
        """Return how many live farther."""
        covered = self.covered(minutes)
        return None if self.residents is None or covered is None else self.residents - covered

    def percent(self, minutes: int) -> int | None:
        """Return how many of a hundred live within the minutes."""
        covered = self.covered(minutes)
        return None if not self.residents or covered is None else round(100 * covered / self.residents)

    @property
    def minutes(self) -> float | None:
        """Return the mean walk in minutes."""
        return None if self.mean_s is None else self.mean_s / 60


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a kind, ages (of ``AGES``), minutes, the level of the lines, the region around them (None: all own)."""

    kind: Kind
    ages: str
    minutes: int
    level: str
    region: NamedRegion | None
    sort: str


@dataclass(frozen=True, slots=True)
class Board:
    """The answer: lines in the order asked for, their sum, and what they rest on. ``year`` is that of the residents, if any."""

    question: Question
    lines: tuple[Line, ...]
    total: Line
    places: int
    year: int | None
    measured_at: dt.datetime
    roads_as_of: str
    stale: bool
    finding: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one more place would do: the sums before and after, in the region asked for."""

    lon: float
    lat: float
    before: Line
    after: Line
    gained: int | None


def stale_kinds(published: Published, ground_stamp: str) -> list[str]:
    """Return the kinds that are not measured on a ground from the places of now, in the order people see."""
    now = stamps(published)
    rows = GapWalk.objects.values_list("kind_id", "ground__stamp", "places_stamp")
    held = {kind: (ground, places) for kind, ground, places in rows}
    return [
        kind.key for kind in all_kinds() if held.get(kind.key) != (ground_stamp, now.get(kind.key, NO_PLACES))
    ]  # fmt: skip


def measuring_now() -> Job | None:
    """Return the job that measures, if one waits or runs."""
    return Job.objects.filter(kind=KIND, state__in=(JobState.QUEUED, JobState.RUNNING)).first()


def last_measured() -> Job | None:
    """Return the last job that measured, however it ended."""
    return Job.objects.filter(kind=KIND).order_by("-created_at").first()


def question_of(
    *,
    kind: str = "",
    ages: str = "",
    minutes: int = 15,
    level: str = "",
    region: str = "",
    sort: str = "",
    scope: Scope,
) -> Question:
    """Return a question as it is meant: what is left out is what suits the kind and the region.

    Raises ``BadInput`` for what is not offered, ``NotFound`` for a region outside the scope.
    """
    check_duty(scope, VIEW)
    offered = {each.key: each for each in all_kinds()}
    chosen = offered.get(kind) if kind else next(iter(offered.values()), None)
    if chosen is None:
        raise BadInput("kind_unknown", "没有这个类别，请从列表里选。", parameter="kind", known=list(offered))
    ages = ages or PRESETS.get(chosen.group, "all")
    if ages not in AGES or minutes not in MINUTES or (sort and sort not in SORTS):
        raise BadInput("choice_unknown", "请从列表里选年龄、分钟和排序。", parameter="ages", known=list(AGES))
    names = names_of(published_now())
    place = _region(region, names, scope)
    levels = levels_of(place)
    return Question(chosen, ages, minutes, level if level in levels else levels[0], place, sort or "gap")


def levels_of(region: NamedRegion | None) -> list[str]:
    """Return the levels below a region, the coarsest first; of the whole city without its committees, which are thousands."""
    if region is None or region.level == Level.CITY:
        return [Level.DISTRICT, Level.STREET]
    return [Level.STREET, Level.COMMITTEE] if region.level == Level.DISTRICT else [Level.COMMITTEE]


def regions_offered(scope: Scope) -> list[NamedRegion]:
    """Return the districts and streets a scope may ask for, in the order of their codes."""
    names = names_of(published_now())
    wanted = {Level.DISTRICT, Level.STREET}
    found = [each for each in names.regions.values() if each.level in wanted and scope.covers_path(each.path)]
    return sorted(found, key=lambda each: each.path)


def board(question: Question, *, scope: Scope) -> Board:
    """Return the answer to a question. Raises ``NotFound`` for a kind that is not measured yet."""
    check_duty(scope, VIEW)
    published = published_now()
    row, ground, walks = _measured(question.kind.key)
    return _board(question, row, ground, walks, published, scope)


def covered_percent(kind: str, counted: Counted, ages: str, minutes: int) -> int | None:
    """Return how many of a hundred residents of whole committees that may be told live within the minutes of a kind.

    ``None`` where the kind is not measured or nobody is counted. Public: a share of what everybody is told of these committees.
    """
    try:
        _, ground, walks = _measured(kind)
    except NotFound:
        return None
    low, high, _ = AGES[ages]
    bands = [low <= first and last <= high for first, last, _ in BANDS]
    persons = dict(zip(counted.rows.tolist(), counted.table.counts[counted.rows][:, bands].sum(axis=1), strict=True))
    rows = [counted.table.row.get(unit, -1) for unit in ground.units.tolist()]
    at = np.array([place for place, row in enumerate(rows) if row in persons], dtype=np.int64)
    weights = np.array([persons[rows[place]] for place in at.tolist()], dtype=np.float64)
    if not weights.sum():
        return None
    return round(100 * float((weights * walks.within[at, MINUTES.index(minutes)]).sum() / weights.sum()))


def gap_rates(kind: str, ages: str, minutes: int, level: str, scope: Scope) -> dict[str, float | None]:
    """Return by path how many of a hundred residents of some ages live farther than some minutes from a kind of place.

    Of the regions of a level that a scope keeps, to a tenth; ``None`` where residents may not be told. Regions without figures
    are left out, as all are while the kind is not measured.
    """
    offered = next((each for each in all_kinds() if each.key == kind), None)
    if offered is None:
        return {}
    try:
        _, ground, walks = _measured(kind)
    except NotFound:
        return {}
    question = Question(offered, ages, minutes, level, None, "gap")
    found: dict[str, float | None] = {}
    for line in _Sums(question, ground, published_now(), scope).lines(walks):
        gap = line.gap(minutes)
        if line.region is None or line.region.level != level:
            continue
        if line.residents and gap is not None:
            found[line.region.path] = round(100 * gap / line.residents, 1)
        elif line.residents is None and line.hidden:
            found[line.region.path] = None
    return found


def what_if(question: Question, lon: float, lat: float, *, scope: Scope) -> WhatIf:
    """Return what one more place at a point (CGCS2000 degrees) would do; nothing is kept. Raises as ``board``."""
    check_duty(scope, VIEW)
    published = published_now()
    _, ground, walks = _measured(question.kind.key)
    seconds = np.where(walks.seconds == NOWHERE, np.inf, walks.seconds.astype(np.float64))
    near = np.flatnonzero(np.isin(ground.cells, h3.grid_disk(cell_at(lon, lat), AROUND).astype(np.int64)))
    east, north = current_city().plane.forward(np.array([lon]), np.array([lat]))
    graph = current_graph()
    found = reach_of_many(graph, np.asarray(east), np.asarray(north), WALK, max(MINUTES) * 60.0)
    if found.reason is not None:
        raise BadInput(f"origin_{found.reason}", found.reason.message)
    seconds[near] = np.minimum(seconds[near], seconds_at(found, doors_at(graph, *metres_of(ground.cells[near]), WALK)))
    sums = _Sums(question, ground, published, scope)
    before, after = sums.total(walks), sums.total(walks_of(ground, seconds))
    then, now = after.covered(question.minutes), before.covered(question.minutes)
    return WhatIf(lon, lat, before, after, None if then is None or now is None else then - now)


def cells_of(question: Question, *, scope: Scope) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the H3 cells of the region asked for and the minutes from each, infinite where no place is reached.

    Their resolution is that of the region (``RESOLUTION_OF``); the minutes of a cell are the median of the finest in it.
    """
    check_duty(scope, VIEW)
    _, ground, walks = _measured(question.kind.key)
    names = names_of(published_now())
    inside = np.array([_seen(names.region(unit), question, scope) for unit in ground.units.tolist()], dtype=np.bool_)
    rows = np.flatnonzero(np.append(inside, False)[ground.land])  # land of no unit is the last
    whole = walks.seconds[rows]
    minutes = np.where(whole == NOWHERE, np.inf, whole / 60)
    keep, put = parent_masks(RESOLUTION_OF[Level(question.region.level if question.region else Level.CITY)])
    parents = ground.cells[rows] & keep | put
    order = np.lexsort((minutes, parents))
    cells, first, count = np.unique(parents[order], return_index=True, return_counts=True)
    return cells, minutes[order][first + (count - 1) // 2]


def outline_of(cell: int) -> list[int]:
    """Return the corners of a cell for a map of thousands: lon, lat of the first in 1e-5 degrees, then each from the first."""
    corners = [(round(lon * 1e5), round(lat * 1e5)) for lat, lon in h3.cell_to_boundary(cell)]
    lon, lat = corners[0]
    return [lon, lat, *(part for x, y in corners[1:] for part in (x - lon, y - lat))]


def shapes_of(lines: Sequence[Line]) -> dict[int, shapely.Geometry]:
    """Return the published shapes of the regions of lines by id, in CGCS2000 degrees, thinned for a map of all of them."""
    regions = [line.region.id for line in lines if line.region]
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region__in=regions)
    fine = 0.00005 if len(regions) > 60 else 0.00002
    return {
        region: shapely.from_wkb(bytes(geom.wkb)).simplify(fine)
        for region, geom in rows.values_list("region_id", "geom")
    }


def class_of(value: float | None, ends: Sequence[int]) -> int:
    """Return the class of a value by the upper ends of classes (each belongs to its class); -1 for what is not known."""
    return -1 if value is None else sum(value > end for end in ends)


def _region(code: str, names: Names, scope: Scope) -> NamedRegion | None:
    """Return the region asked for; without a code the one that a scope keeps, None where it keeps all or several."""
    if code:
        found = names.by_code.get(code)
        if found is None or found.level == Level.COMMITTEE or not scope.covers_path(found.path):
            raise NotFound("region_unknown", "没有这个区划，或者它不在您的管辖范围内。请从列表里选。", region=code[:20])
        return None if found.level == Level.CITY else found
    if len(scope.paths) != 1 or scope.whole_city:
        return None
    own = next((each for each in names.regions.values() if each.path == scope.paths[0]), None)
    return own if own and own.level in (Level.DISTRICT, Level.STREET) else None


def _seen(unit: NamedRegion | None, question: Question, scope: Scope) -> bool:
    if unit is None or not scope.covers_path(unit.path):
        return False
    return question.region is None or unit.path.startswith(question.region.path)


def _measured(kind: str) -> tuple[GapWalk, Ground, Walks]:
    row = (
        GapWalk.objects.filter(kind=kind)
        .select_related("ground")
        .defer("ground__arrays", "ground__doors", "arrays")
        .first()
    )
    if row is None:
        raise NotFound("gaps_unmeasured", "这一类还没有计算。请先点“开始计算”，几分钟后再来看。")
    base = str(connection.settings_dict["NAME"])
    ground = kept(
        _grounds, (base, row.ground_id, row.ground.stamp),
        lambda: Ground.of(GapGround.objects.values_list("arrays", flat=True).get(pk=row.ground_id)), 2,
    )  # fmt: skip
    walks = kept(
        _walks, (base, kind, row.ground_id, row.measured_at),
        lambda: Walks.of(GapWalk.objects.values_list("arrays", flat=True).get(pk=kind)), 8,
    )  # fmt: skip
    return row, ground, walks


def _is_stale(row: GapWalk, published: Published) -> bool:
    try:
        stamp = stamp_of(current_graph(), published)
    except NoGraph:
        return False
    return (row.ground.stamp, row.places_stamp) != (stamp, stamps(published, row.kind_id).get(row.kind_id, NO_PLACES))


class _Sums:
    """Adds up the units of a ground under a question: who lives there, of those who may be told."""

    def __init__(self, question: Question, ground: Ground, published: Published, scope: Scope) -> None:
        self.names = names_of(published)
        table = committees_told(published, self.names)
        self.year = table.year if table else None
        self.homes = ground.homes
        self.rows: dict[int, list[int]] = defaultdict(list)
        self.regions: dict[int, NamedRegion] = {}
        self.persons = np.full(len(ground.units), np.nan)
        self.hidden = np.zeros(len(ground.units), dtype=np.bool_)
        for at, unit in enumerate(ground.units.tolist()):
            own = self.names.region(unit)
            if own is None or not _seen(own, question, scope):
                continue
            line = self.names.above(own, question.level) or own
            self.rows[line.id].append(at)
            self.regions[line.id] = line
            self._count(at, unit, question.ages, table)

    def _count(self, at: int, unit: int, ages: str, table: Committees | None) -> None:
        row = table.row.get(unit) if table else None
        if table is None or row is None:
            return
        low, high, _ = AGES[ages]
        bands = [low <= first and last <= high for first, last, _ in BANDS]
        self.hidden[at] = not table.told[row]
        if table.told[row]:
            self.persons[at] = table.counts[row][bands].sum()

    def lines(self, walks: Walks) -> list[Line]:
        """Return a line for each region."""
        return [self._line(self.regions[region], rows, walks) for region, rows in self.rows.items()]

    def total(self, walks: Walks) -> Line:
        """Return the line of all of them."""
        return self._line(None, [at for rows in self.rows.values() for at in rows], walks)

    def _line(self, region: NamedRegion | None, rows: Sequence[int], walks: Walks) -> Line:
        at = np.array(rows, dtype=np.int64)
        told = at[~np.isnan(self.persons[at])]
        persons = self.persons[told]
        residents = _tens(persons.sum()) if len(told) else None
        within = tuple(
            min(_tens(float(count)), residents or 0) for count in (persons[:, None] * walks.within[told]).sum(axis=0)
        )
        mean = _mean(persons, walks.mean_s[told]) if persons.sum() else _mean(self._weights(at), walks.mean_s[at])
        return Line(region, residents, within, mean, int(self.hidden[at].sum()))

    def _weights(self, at: npt.NDArray[np.int64]) -> Floats:
        """Return how many homes units have; where that is not known of one, all count alike."""
        return self.homes[at] if (self.homes[at] > 0).all() else np.ones(len(at))


def _tens(count: float) -> int:
    return K * round(count / K)


def _mean(weights: Floats, seconds: Floats) -> float | None:
    """Return the mean of the seconds of units; None where most of the weight reaches nothing."""
    known = ~np.isnan(seconds)
    if not len(weights) or weights[known].sum() < weights.sum() / 2:
        return None
    return float((weights[known] * seconds[known]).sum() / weights[known].sum())


def _board(question: Question, row: GapWalk, ground: Ground, walks: Walks, published: Published, scope: Scope) -> Board:
    sums = _Sums(question, ground, published, scope)
    lines, total = sums.lines(walks), sums.total(walks)
    lines.sort(key=lambda line: _order(line, question))
    return Board(
        question, tuple(lines), total, row.places, sums.year, row.measured_at, row.ground.roads_as_of,
        _is_stale(row, published), _finding(question, lines, total, row.places, scope),
    )  # fmt: skip


def _order(line: Line, question: Question) -> tuple[bool, float, str]:
    value: float | None
    match question.sort:
        case "percent":
            value = line.percent(question.minutes)
        case "mean":
            value = None if line.mean_s is None else -line.mean_s
        case _:
            gap = line.gap(question.minutes)
            value = None if gap is None else -gap
    return value is None, value or 0.0, line.region.path if line.region else ""


def _finding(question: Question, lines: Sequence[Line], total: Line, places: int, scope: Scope) -> str:
    """Say in one sentence what the board says."""
    where = question.region.name if question.region else "全市" if scope.whole_city else "我的辖区"
    kind, whom = question.kind.name, "居民" if question.ages == "all" else f" {AGES[question.ages][2]}居民"
    if places == 0:
        return f"全市还没有开放的{kind}"
    percent, gap = total.percent(question.minutes), total.gap(question.minutes)
    if percent is None or gap is None:
        return f"{where}还没有能公布的{whom.strip()}人数，先看走到{kind}要几分钟"
    said = f"{whom}有 {percent}% 走 {question.minutes} 分钟能到{kind}"
    if not gap:
        return f"{where}{said}"
    most = max(lines, key=lambda line: line.gap(question.minutes) or 0)
    worst = most.gap(question.minutes)
    tail = f"，最多的是{most.region.name}（约 {worst:,} 人）" if most.region and worst and len(lines) > 1 else ""
    return f"{where}{said}，还有约 {gap:,} 人走不到{tail}"
