"""Which flow and which settings hold for a matter in a region: the nearest region that says something decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from geo.calendars.queries import working_days
from geo.errors import NotFound
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city, published_edition
from services.kernel.messages.choosing import chain_of, regions_above
from services.kernel.workflow.clock import Days
from services.kernel.workflow.engine import Runnable, runnable
from services.kernel.workflow.models import FlowVersion, MatterSetting, StepSetting, VersionState
from services.kernel.workflow.registry import declared_diagram, facts_of, matter_named
from services.kernel.workflow.spec import OWN_SOURCES, Choice, Dispatch, Level, MatterSpec, Mode, Screen, Step

_LEVELS: tuple[Level, ...] = ("city", "district", "street")


def city_zone() -> ZoneInfo:
    """Return the clock of the city."""
    return ZoneInfo(settings.TIME_ZONE)


def calendar() -> Days:
    """Return the working days that staff maintain."""
    return working_days()


def region_at(region_id: int, level: Level) -> int:
    """Return the region of a level in which a case of a region is handled; the next coarser one where it lies in none."""
    above = {found: region for region, found in regions_above(region_id)}
    for name in reversed(_LEVELS[: _LEVELS.index(level) + 1]):
        if name in above:
            return above[name]
    return region_id


def regions_below(region_id: int) -> frozenset[int]:
    """Return the city, districts and streets in a region: steps are done at these levels only."""
    edition = published_edition()
    return _below(edition.pk, edition.published_at, region_id) if edition else frozenset()


@lru_cache(maxsize=1_024)
def _below(edition_id: int, published_at: dt.datetime | None, region_id: int) -> frozenset[int]:
    rows = RegionVersion.objects.filter(edition=edition_id)
    path = rows.filter(region=region_id).values_list("path", flat=True).first()
    if path is None:
        return frozenset()
    return frozenset(rows.filter(path__startswith=path, level__in=_LEVELS).values_list("region_id", flat=True))


def city_region() -> int:
    """Return the id of the city itself. Raises ``NotFound`` before regions are published."""
    row = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, code=current_city().code).first()
    if row is None:
        raise NotFound("regions_missing", "还没有发布行政区划，暂时不能办理。")
    return row.region_id


def flow_for(matter: str, region_id: int) -> FlowVersion:
    """Return the flow that new cases of a region take: the published one of the nearest region, else the declared one."""
    chain = chain_of(region_id)
    rows = FlowVersion.objects.filter(matter=matter, region__in=chain, state=VersionState.PUBLISHED)
    known = {row.region_id: row for row in rows}
    for region in chain:
        if region in known:
            return known[region]
    return declared_flow(matter)


def declared_flow(matter: str) -> FlowVersion:
    """Return the city's version of the declared steps, written the first time it is asked for, and anew where they changed."""
    spec, city = matter_named(matter), city_region()
    xml = _declared(spec)
    rows = FlowVersion.objects.filter(matter=matter, region=city)
    row = rows.filter(xml=xml, made_by="system").first()
    if row is None:
        last = rows.aggregate(last=Max("number"))["last"] or 0
        free = not rows.filter(state=VersionState.PUBLISHED).exists()
        row, _ = FlowVersion.objects.get_or_create(
            matter=matter, region_id=city, number=last + 1,
            defaults={"xml": xml, "made_by": "system", "note": "按事项的声明生成",
                      "state": VersionState.PUBLISHED if free else VersionState.DRAFT},
        )  # fmt: skip
    return row


@lru_cache(maxsize=256)
def _declared(spec: MatterSpec) -> str:
    return declared_diagram(spec)


def runnable_of(version: FlowVersion) -> Runnable:
    """Return a version ready to run."""
    return runnable(version.xml, facts_of(matter_named(version.matter)))


def step_as_set(matter: str, step: Step, chain: Sequence[int]) -> tuple[Step, str]:
    """Return a step with what the nearest region of a chain set of it, and the post that region chose ('' for none)."""
    return as_set(step, settings_of(matter, chain), chain)


def settings_of(matter: str, chain: Sequence[int]) -> list[StepSetting]:
    """Return what the regions of a chain set of a matter's steps."""
    return list(StepSetting.objects.filter(matter=matter, region__in=chain))


def as_set(step: Step, settings: Iterable[StepSetting], chain: Sequence[int]) -> tuple[Step, str]:
    """Return a step with what the nearest region of a chain set of it, of settings that were read, and the post."""
    rows = {row.region_id: row for row in settings if row.step == step.key}
    row = next((rows[region] for region in chain if region in rows), None)
    if row is None:
        return step, ""
    changed = replace(
        step,
        days=row.days,
        remind=row.remind,
        dispatch=cast(Dispatch, row.dispatch),
        mode=cast(Mode, row.mode),
        notices=tuple(row.notices),
        screens=step.screens if row.screens is None else cast(tuple[Screen, ...], tuple(row.screens)),
        sections=step.sections if row.sections is None else tuple(row.sections),
        fills=step.fills if row.fills is None else tuple(row.fills),
    )
    return changed, row.post


def matter_as_set(spec: MatterSpec, region_id: int) -> MatterSetting:
    """Return what holds of a matter in a region: route, category and open sources; an unsaved row where no region set it."""
    chain = chain_of(region_id)
    rows = {row.region_id: row for row in MatterSetting.objects.filter(matter=spec.key, region__in=chain)}
    for region in chain:
        if region in rows:
            return rows[region]
    return MatterSetting(
        matter=spec.key,
        region_id=region_id,
        route=spec.route,
        category=spec.category,
        sources=[each.key for each in sources_of(spec)],
    )


def sources_of(spec: MatterSpec) -> tuple[Choice, ...]:
    """Return where applications for a matter may come from."""
    return (*OWN_SOURCES, *spec.sources)


@lru_cache(maxsize=512)
def source_name(matter: str, source: str) -> str:
    """Return the Chinese name of a source."""
    return next((each.name for each in sources_of(matter_named(matter)) if each.key == source), source)
