"""What is wrong with an edition as a whole: cells, places, kindergartens, rules against rules, and who is left without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.core.cache import cache

from geo.addresses.gazetteer import published_now
from geo.addresses.land import kept
from geo.addresses.models import Address
from geo.imports.models import CURRENT
from services.catchments.areas.queries import flaws_in
from services.catchments.changes import rule_told
from services.catchments.doors import Rule
from services.catchments.editing import BY_DOOR, RuleSaid, faults_of, ground_for, said_briefly, said_by
from services.catchments.entries import MODES, RULED, Mode, entry_point
from services.catchments.findings import findings
from services.catchments.ground import Ground
from services.catchments.models import CatchmentEdition, MatchRule
from services.catchments.queries import rules_of
from services.catchments.writing import Reading, read_rule
from services.facilities.actions import edition_key

Level = Literal["error", "warning"]
Page = Literal["rules", "about", "areas"]
MOST_NAMED: Final = 12
_KEPT: Final = 24
_found: dict[tuple[str, int, str, str], tuple[EditionFinding, ...]] = {}


@dataclass(frozen=True, slots=True)
class EditionFinding:
    """Something found: an ``error`` stands in the way of approval; ``rules`` are the ``same`` of the rules it speaks of."""

    level: Level
    code: str
    message: str
    rules: tuple[UUID, ...] = ()
    page: Page = "rules"


@dataclass(frozen=True, slots=True)
class _Row:
    """A rule with what it says and, by a door, how it reads."""

    rule: MatchRule
    said: RuleSaid
    reading: Reading | None


def findings_of(edition: CatchmentEdition) -> list[EditionFinding]:
    """Return what is wrong with an edition, errors first; found once for each of its revisions and state of the city."""
    key = (str(edition.pk), edition.revision, published_now().key, str(cache.get(edition_key())))
    found: tuple[EditionFinding, ...] = kept(_found, key, lambda: tuple(_find(edition)), _KEPT)
    return list(found)


def _find(edition: CatchmentEdition) -> list[EditionFinding]:
    ground = ground_for(edition)
    rows = [_row(rule) for rule in rules_of(edition)]
    found = [
        *_of_the_whole(edition, rows),
        *_of_rows(edition, rows, ground),
        *_of_doors(rows),
        *_twice(rows, ground),
        *_dead(edition, rows, ground),
        *_left_out(edition, rows, ground),
        *_unsent(edition, rows, ground),
        *_of_areas(edition),
    ]
    return sorted(found, key=lambda one: one.level != "error")


def _row(rule: MatchRule) -> _Row:
    said = said_by(rule_told(rule))
    return _Row(rule, said, read_rule(said.written) if said.mode in BY_DOOR else None)


def _of_the_whole(edition: CatchmentEdition, rows: Sequence[_Row]) -> Iterator[EditionFinding]:
    entry = entry_point(edition.entry)
    areas = edition.areas.exists()
    if not rows and not areas and "nearest" not in edition.steps:
        yield EditionFinding("error", "empty", "这个版本还没有规则，也没有片区。请导入或添加规则。")
    if not edition.steps:
        yield EditionFinding("error", "no_steps", "还没有排匹配顺序。请至少选一种匹配方式。", page="about")
    for step in edition.steps:
        if entry is None or step not in entry.modes:
            said = f"“{edition.get_entry_display()}”入口不能用“{MODES.get(step, step)}”，请从匹配顺序里去掉。"  # type: ignore[call-overload]
            yield EditionFinding("error", "mode_forbidden", said, page="about")
    if not edition.office or not edition.office_phone:
        yield EditionFinding(
            "warning", "no_office", "没有写咨询科室和电话，家长查不到对口园时不知道问谁。", page="about"
        )
    if areas and "area" not in edition.steps:
        said = "画了片区，但匹配顺序里没有“片区边界”，片区不起作用。"
        yield EditionFinding("warning", "areas_unused", said, page="about")
    unused = {row.said.mode for row in rows} - set(edition.steps)
    for mode in (mode for mode in RULED if mode in unused):
        own = [row for row in rows if row.said.mode == mode]
        said = f"有 {len(own):,} 条“{MODES[mode]}”规则，但匹配顺序里没有这种方式，这些规则不起作用。"
        yield EditionFinding("warning", "step_missing", said, _sames(own), "about")


def _of_rows(edition: CatchmentEdition, rows: Iterable[_Row], ground: Ground) -> Iterator[EditionFinding]:
    for row in rows:
        for field, said in faults_of(row.said, entry=edition.entry, ground=ground).items():
            where = f"第 {row.rule.line} 行“{said_briefly(row.said, ground)}”"
            yield EditionFinding("error", f"bad_{field}", f"{where}：{said}", (row.rule.same,))


def _of_doors(rows: Sequence[_Row]) -> Iterator[EditionFinding]:
    """Overlaps, rules that cover nothing and idle exceptions, mode by mode; then rules that sharper ones leave no door."""
    for mode in BY_DOOR:
        by_rule: dict[int, _Row] = {}
        rules: list[Rule] = []
        for row in rows:
            if row.said.mode == mode and row.reading and not row.reading.faults and row.rule.target:
                rule = row.reading.rule(row.rule.target.name)
                by_rule[id(rule)] = row
                rules.append(rule)
        for finding in findings(rules):
            own = tuple(by_rule[id(one)].rule.same for one in (finding.rule, finding.other) if one is not None)
            lines = "、".join(f"第 {by_rule[id(one)].rule.line} 行" for one in (finding.rule, finding.other) if one)
            yield EditionFinding("warning", finding.what, f"{lines}：{finding.said}", own)


def _twice(rows: Sequence[_Row], ground: Ground) -> Iterator[EditionFinding]:
    """Rows that say the same of the same people: to one kindergarten they are idle, to several parents get a choice."""
    alike: dict[tuple[object, ...], list[_Row]] = defaultdict(list)
    for row in rows:
        if row.said.mode in ("community", "committee"):
            alike[row.said.mode, row.said.street, row.said.committee, row.said.community].append(row)
    for own in alike.values():
        goals = {row.said.target for row in own}
        if len(goals) > 1:
            names = "、".join(ground.site_name(goal) for goal in sorted(goals, key=lambda goal: goal or 0))
            who = said_briefly(own[0].said, ground).split(" → ")[0]
            said = f"“{who}”写了 {len(goals)} 所幼儿园：{names}。家长会看到几所，不是这个意思就删去多余的。"
            yield EditionFinding("warning", "contradiction", said, _sames(own))
    same: dict[RuleSaid, list[_Row]] = defaultdict(list)
    for row in rows:
        same[RuleSaid(*_asked(row.said), row.said.target, row.said.choice)].append(row)
    for own in same.values():
        if len(own) > 1:
            lines = "、".join(f"{row.rule.line}" for row in own[:MOST_NAMED])
            said = f"第 {lines} 行写的完全一样，留一行就够了。"
            yield EditionFinding("warning", "duplicate", said, _sames(own))


def _asked(said: RuleSaid) -> tuple[Mode, int | None, int | None, str, str]:
    return said.mode, said.street, said.committee, said.community, said.written


def _dead(edition: CatchmentEdition, rows: Sequence[_Row], ground: Ground) -> Iterator[EditionFinding]:
    """Rules by place that an earlier step always decides before: their street or committee is written there."""
    decided: set[tuple[int | None, int | None]] = set()
    for step in edition.steps:
        own = [row for row in rows if row.said.mode == step]
        for row in own if step not in BY_DOOR else ():
            street, committee = row.said.street, row.said.committee
            if decided & {(None, None), (street, None), (street, committee)}:
                said = f"第 {row.rule.line} 行“{said_briefly(row.said, ground)}”用不到：排在前面的方式已经决定了这里。"
                yield EditionFinding("warning", "dead", said, (row.rule.same,))
        if step in ("committee", "open"):
            decided |= {(row.said.street, row.said.committee) for row in own}


def _left_out(edition: CatchmentEdition, rows: Sequence[_Row], ground: Ground) -> Iterator[EditionFinding]:
    """Committees of the district that no rule reaches: not by name, not by a road, not by the nearest of their street."""
    used = [row for row in rows if row.said.mode in edition.steps]
    if not used or ("area" in edition.steps and edition.areas.exists()):
        return
    streets = {row.said.street for row in used if row.reading is None and row.said.committee is None}
    if None in streets and any(row.said.mode == "open" for row in used):
        return
    if "nearest" in edition.steps:
        streets |= {site.street for site in ground.open_sites()}
    reached = {row.said.committee for row in used} | _on_roads(used, ground)
    left = [
        region for region, (_, street) in ground.committees.items() if region not in reached and street not in streets
    ]
    by_street: dict[int, list[str]] = defaultdict(list)
    for region in left:
        by_street[ground.committees[region][1]].append(ground.committees[region][0])
    for street, names in by_street.items():
        more = f"等 {len(names)} 个" if len(names) > MOST_NAMED else f" {len(names)} 个"
        said = f"{ground.streets.get(street, '')}还有居委没有规则：{'、'.join(sorted(names)[:MOST_NAMED])}，共{more}。"
        yield EditionFinding("warning", "gap", said.replace("共等", "等"))


def _on_roads(rows: Iterable[_Row], ground: Ground) -> set[int]:
    """Return the committees in which an address stands on a road that some rule speaks of."""
    roads = {stretch.road for row in rows if row.reading for stretch in row.reading.covers}
    if not roads:
        return set()
    found = Address.objects.filter(CURRENT, road__in=roads, region__in=list(ground.committees))
    return {region for region in found.values_list("region", flat=True).distinct() if region is not None}


def _unsent(edition: CatchmentEdition, rows: Sequence[_Row], ground: Ground) -> Iterator[EditionFinding]:
    """Public kindergartens of the district that nobody is sent to."""
    if "nearest" in edition.steps or any(row.said.choice == "public" for row in rows):
        return
    sent = {row.said.target for row in rows} | set(edition.areas.values_list("target", flat=True))
    idle = [site.name for site in ground.open_sites() if site.id not in sent and site.ownership == "public"]
    if idle and rows:
        more = f"等 {len(idle)} 所" if len(idle) > MOST_NAMED else f"（{len(idle)} 所）"
        said = f"没有地址对口到这些公办园：{'、'.join(idle[:MOST_NAMED])}{more}。请核对是不是漏了。"
        yield EditionFinding("warning", "nobody_sent", said)


def _of_areas(edition: CatchmentEdition) -> Iterator[EditionFinding]:
    """Tell what is wrong with the drawn areas; what is only a notice there is seen on the map."""
    names = {str(same): name for same, name in edition.areas.values_list("same", "name")}
    for flaw in flaws_in(edition) if names else ():
        if flaw.level != "notice":
            said = f"片区“{names.get(flaw.area, '')}”：{flaw.title}，{flaw.said}"
            yield EditionFinding(flaw.level, f"area_{flaw.kind}", said, page="areas")


def _sames(rows: Iterable[_Row]) -> tuple[UUID, ...]:
    return tuple(row.rule.same for row in rows)


def tally(found: Iterable[EditionFinding]) -> Mapping[Level, int]:
    """Return how many findings there are of each level."""
    counted: dict[Level, int] = {"error": 0, "warning": 0}
    for one in found:
        counted[one.level] += 1
    return counted
