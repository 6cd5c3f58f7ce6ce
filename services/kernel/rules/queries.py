"""Reads of rule sets: which version holds for a region on a day, what staff of a region keep, what went wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from geo.errors import Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import path_of, published_name, versions_of, within
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty, holding
from services.kernel.rules.deciding.findings import Finding, findings_of
from services.kernel.rules.deciding.sheets import Sheet, sheet_of
from services.kernel.rules.deciding.tables import Table, read_table
from services.kernel.rules.models import RuleFault, RuleState, RuleVersion, Trial
from services.kernel.rules.registry import rule_set_named, rule_sets
from services.kernel.rules.spec import RuleSetSpec

VIEW = "rules.view"
LEVELS = ("city", "district")


def chain_of(region_id: int) -> list[int]:
    """Return a region and those above it, the nearest first; one that the published edition does not know stands alone."""
    path = path_of(region_id, scope=Scope.public())
    return [version.region_id for version in reversed(path)] or [region_id]


def version_for(key: str, *, region_id: int, on: dt.date) -> RuleVersion | None:
    """Return the version of a rule set that holds for a region on a day: that of the nearest region which has one."""
    chain = chain_of(region_id)
    rows = RuleVersion.objects.filter(rule_set=key, region__in=chain, state=RuleState.PUBLISHED, from_day__lte=on)
    newest = rows.order_by("region", "-from_day", "-number").distinct("region").defer("sheet")
    known = {row.region_id: row for row in newest if row.active}
    return next((known[region] for region in chain if region in known), None)


@lru_cache(maxsize=128)
def published_table(version_id: UUID) -> Table:
    """Return the table of a published version, which never changes, ready to decide. Raises ``BadInput`` where it cannot run."""
    version = RuleVersion.objects.get(pk=version_id, state=RuleState.PUBLISHED)
    return table_of(version)


def version_above(version: RuleVersion, *, on: dt.date) -> RuleVersion | None:
    """Return what would hold in the region of a version on a day if it had no rules of its own; None for nothing."""
    above = chain_of(version.region_id)[1:]
    found = version_for(version.rule_set, region_id=above[0], on=on) if above else None
    return RuleVersion.objects.annotate(region_name=published_name()).get(pk=found.pk) if found else None


def table_of(version: RuleVersion) -> Table:
    """Return the table of a version ready to decide. Raises ``BadInput`` where it cannot run."""
    spec = rule_set_named(version.rule_set)
    return read_table(sheet_of(version.sheet, spec), spec)


def sheet_kept(version: RuleVersion) -> Sheet:
    """Return the table of a version as it is written. Raises ``BadInput``."""
    return sheet_of(version.sheet, rule_set_named(version.rule_set))


def regions_kept(*, scope: Scope, duty: str = VIEW) -> list[RegionVersion]:
    """Return the city and districts whose rules the scope may look after, coarse before fine."""
    check_duty(scope, duty)
    return list(versions_of(scope=scope).filter(within(scope), level__in=LEVELS))


def region_kept(code: str, *, scope: Scope, duty: str = VIEW) -> RegionVersion:
    """Return a region (by code, the widest for '') whose rules the scope may look after. Raises ``Forbidden``."""
    found = regions_kept(scope=scope, duty=duty)
    for version in found:
        if code in ("", version.code):
            return version
    raise Forbidden("region_outside_scope", "规则按市、区管理，这个区不在您的管辖范围内。")


def version_seen(version_id: UUID, *, scope: Scope) -> RuleVersion:
    """Return a version of the scope's regions. Raises ``NotFound`` for any other."""
    check_duty(scope, VIEW)
    rows = RuleVersion.objects.filter(within(scope), pk=version_id, rule_set__in=rule_sets())
    found = rows.annotate(region_name=published_name()).first()
    if found is None:
        raise NotFound("rule_version_unknown", "没有找到这个规则版本，或者它不属于您的管辖范围。")
    return found


def versions_kept(key: str, *, region_id: int, scope: Scope) -> QuerySet[RuleVersion]:
    """Return the versions of a rule set in one of the scope's regions, the newest first."""
    check_duty(scope, VIEW)
    return RuleVersion.objects.filter(within(scope), rule_set=key, region=region_id).order_by("-number")


def findings_for(version: RuleVersion) -> list[Finding]:
    """Return what is wrong with a version's table."""
    return findings_of(sheet_kept(version), rule_set_named(version.rule_set))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule set stands in a region: the version in force and whose it is, the next, the draft, what failed of late."""

    spec: RuleSetSpec
    now: RuleVersion | None
    now_from: str
    next: RuleVersion | None
    draft: RuleVersion | None
    faults: int


def standings(*, region: RegionVersion, scope: Scope) -> list[Standing]:
    """Return every declared rule set as it stands in one of the scope's regions."""
    check_duty(scope, VIEW)
    return [standing(spec, region=region, scope=scope) for spec in rule_sets().values()]


def standing(spec: RuleSetSpec, *, region: RegionVersion, scope: Scope) -> Standing:
    """Return how one rule set stands in one of the scope's regions."""
    today = timezone.localdate()
    now = version_for(spec.key, region_id=region.region_id, on=today)
    own = versions_kept(spec.key, region_id=region.region_id, scope=scope)
    names = {each.region_id: each.name for each in path_of(region.region_id, scope=Scope.public())}
    since = timezone.now() - dt.timedelta(days=7)
    return Standing(
        spec,
        now,
        names.get(now.region_id, "") if now else "",
        own.filter(state=RuleState.PUBLISHED, from_day__gt=today).order_by("from_day").first(),
        own.exclude(state=RuleState.PUBLISHED).first(),
        faults_kept(spec.key, scope=scope).filter(at__gte=since).count(),
    )


def faults_kept(key: str, *, scope: Scope) -> QuerySet[RuleFault]:
    """Return what went wrong with a rule set in the scope's regions, the latest first."""
    check_duty(scope, VIEW)
    return RuleFault.objects.filter(within(scope), rule_set=key).annotate(region_name=published_name())


def trial_seen(trial_id: UUID, *, scope: Scope) -> Trial:
    """Return a trial of a version of the scope's regions. Raises ``NotFound`` for any other."""
    check_duty(scope, VIEW)
    rows = Trial.objects.filter(within(scope, "version__region"), pk=trial_id).select_related("version", "job")
    found = rows.first()
    if found is None:
        raise NotFound("trial_unknown", "没有找到这次试算，或者它不属于您的管辖范围。")
    return found


def keepers_of(key: str, *, region_id: int) -> list[User]:
    """Return the accounts that today may change a rule set for a region, or for one above it."""
    users = User.objects.filter(
        holding(timezone.localdate(), "grants__"),
        is_active=True,
        grants__region__in=chain_of(region_id),
        grants__role__duties__contains=[rule_set_named(key).duty],
    )
    return list(users.distinct().order_by("pk"))
