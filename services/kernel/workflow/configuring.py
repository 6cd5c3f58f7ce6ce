"""Writes of what regions set of matters: sources and classes, steps with deadlines and posts, and versions of their flow.

A city or district sets for itself and all below it that set nothing. A flow is written as a draft, checked, and published.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.models import Role
from services.access.queries import check_duty
from services.access.roles import roles
from services.kernel.workflow.choosing import flow_for, runnable_of, sources_of
from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.diagrams.reading import Finding
from services.kernel.workflow.models import Case, FlowVersion, MatterSetting, StepSetting, VersionState
from services.kernel.workflow.registry import facts_of, matter_named
from services.kernel.workflow.spec import DISPATCHES, MODES, MOST_DAYS, NOTICES, ROUTES

LONGEST_CATEGORY: Final = 40


def duties_known() -> frozenset[str]:
    """Return the duties of cases that some declared role carries: what a step may ask for."""
    return frozenset(duty for role in roles() for duty in role.duties if duty.startswith("cases."))


def regions_to_configure(*, scope: Scope) -> list[RegionVersion]:
    """Return the city and districts whose flows and settings the scope may change, coarse before fine."""
    check_duty(scope, "cases.configure")
    return list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district")))


def region_to_configure(code: str, *, scope: Scope) -> RegionVersion:
    """Return a region (by code) the scope may configure, the first of them for ''. Raises ``Forbidden``."""
    found = regions_to_configure(scope=scope)
    for version in found:
        if code in ("", version.code):
            return version
    raise Forbidden("region_outside_scope", "这个区不在您的管辖范围内，不能改它的事项设置。")


@transaction.atomic
def set_matter(
    *, matter: str, region: str, route: str, category: str, sources: Iterable[str], scope: Scope
) -> MatterSetting:
    """Set a matter's class of flow, class of business and open sources in a region. Raises ``BadInput``."""
    spec, place = matter_named(matter), region_to_configure(region, scope=scope)
    known = [each.key for each in sources_of(spec)]
    chosen = [key for key in known if key in set(sources)]
    if route not in ROUTES:
        raise BadInput("route_unknown", "请选择即办件或流转件。")
    if not category.strip() or len(category.strip()) > LONGEST_CATEGORY:
        raise BadInput("category_missing", f"请写业务分类，{LONGEST_CATEGORY} 个字以内。")
    if not chosen:
        raise BadInput("sources_missing", "至少要留一个申请来源。")
    row, _ = MatterSetting.objects.update_or_create(
        matter=matter,
        region_id=place.region_id,
        defaults={"route": route, "category": category.strip(), "sources": chosen, "changed_by": scope.actor},
    )
    return row


@transaction.atomic
def set_step(
    *, matter: str, region: str, step: str, days: int, remind: int, dispatch: str, mode: str, post: str,
    notices: Iterable[str], scope: Scope,
) -> StepSetting:  # fmt: skip
    """Set one step in a region, for tasks that come from now on. Raises ``BadInput`` and ``NotFound``."""
    matter_named(matter)
    place = region_to_configure(region, scope=scope)
    declared = runnable_of(flow_for(matter, place.region_id)).graph.steps.get(step)
    if declared is None:
        raise NotFound("step_unknown", "流程里没有这个环节，请刷新页面。")
    if not 0 <= days <= MOST_DAYS or not 0 <= remind <= MOST_DAYS:
        raise BadInput("days_odd", f"时限要写 0 到 {MOST_DAYS} 个工作日，0 是不限时。")
    if days and remind >= days:
        raise BadInput("remind_odd", "提醒要早于期限：提前的天数要小于办理时限。")
    if dispatch not in DISPATCHES or mode not in MODES:
        raise BadInput("choice_unknown", "请选择派单方式和办理方式。")
    if post and not Role.objects.filter(pk=post, duties__contains=[declared.duty]).exists():
        raise BadInput("post_unfit", "这个岗位没有办这个环节的职责，请从列表里选。")
    row, _ = StepSetting.objects.update_or_create(
        matter=matter,
        region_id=place.region_id,
        step=step,
        defaults={
            "days": days, "remind": remind, "dispatch": dispatch, "mode": mode, "post": post,
            "notices": [key for key in NOTICES if key in set(notices)], "changed_by": scope.actor,
        },
    )  # fmt: skip
    return row


@transaction.atomic
def unset_step(*, matter: str, region: str, step: str, scope: Scope) -> None:
    """Take back what a region set of a step: the next region above decides again."""
    place = region_to_configure(region, scope=scope)
    StepSetting.objects.filter(matter=matter, region_id=place.region_id, step=step).delete()


def posts_for(duty: str) -> list[Role]:
    """Return the roles that carry a duty."""
    return list(Role.objects.filter(duties__contains=[duty]).order_by("key"))


def faults_of(matter: str, xml: str) -> list[Finding]:
    """Return what is wrong with a diagram for a matter: what ``publish_flow`` would refuse, and an editor shows."""
    return check_diagram(xml, facts=dict(facts_of(matter_named(matter))), duties=duties_known())


@transaction.atomic
def save_flow(*, matter: str, region: str, xml: str, note: str, seen: int, scope: Scope) -> FlowVersion:
    """Keep a diagram as the next version, a draft; ``seen`` is the newest number the writer saw.

    Raises ``BadInput`` with the first finding (all of them in ``detail['findings']``), ``Conflict`` where somebody was faster.
    """
    place = region_to_configure(region, scope=scope)
    _check_sound(matter, xml)
    rows = FlowVersion.objects.filter(matter=matter, region_id=place.region_id)
    last = rows.aggregate(last=Max("number"))["last"] or 0
    if last != seen:
        raise Conflict("flow_changed", "别人刚保存了新的版本，请刷新页面，看过再保存。")
    try:
        with transaction.atomic():
            return FlowVersion.objects.create(
                matter=matter, region_id=place.region_id, number=last + 1, xml=xml, note=note.strip()[:200],
                made_by=scope.actor,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("flow_changed", "别人刚保存了新的版本，请刷新页面，看过再保存。") from None


@transaction.atomic
def publish_flow(*, version_id: int, scope: Scope) -> FlowVersion:
    """Let new cases take a version; running ones keep theirs until they are moved. Raises ``BadInput``, ``NotFound``."""
    row = flow_to_configure(version_id, scope=scope, lock=True)
    _check_sound(row.matter, row.xml)
    if row.state != VersionState.PUBLISHED:
        FlowVersion.objects.filter(matter=row.matter, region=row.region_id, state=VersionState.PUBLISHED).update(
            state=VersionState.RETIRED
        )
        row.state, row.published_at = VersionState.PUBLISHED, timezone.now()
        row.save(update_fields=["state", "published_at"])
    return row


@transaction.atomic
def drop_draft(*, version_id: int, scope: Scope) -> None:
    """Delete a draft that no case took. Raises ``Conflict`` for any other version."""
    row = flow_to_configure(version_id, scope=scope, lock=True)
    if row.state != VersionState.DRAFT or Case.objects.filter(flow=row).exists():
        raise Conflict("flow_in_use", "用过的版本要留着备查，不能删除。")
    row.delete()


def flow_to_configure(version_id: int, *, scope: Scope, lock: bool = False) -> FlowVersion:
    """Return a version of a region the scope may configure. Raises ``NotFound``."""
    rows = FlowVersion.objects.select_for_update() if lock else FlowVersion.objects
    row = rows.filter(pk=version_id).first()
    allowed = {each.region_id for each in regions_to_configure(scope=scope)}
    if row is None or row.region_id not in allowed:
        raise NotFound("flow_unknown", "没有找到这个流程版本，或者它不在您的管辖范围内。")
    return row


def _check_sound(matter: str, xml: str) -> None:
    findings = faults_of(matter, xml)
    if findings:
        told = [{"code": each.code, "element": each.element, "message": each.message} for each in findings]
        more = f"（还有 {len(findings) - 1} 处）" if len(findings) > 1 else ""
        raise BadInput("flow_refused", f"{findings[0].message}{more}", findings=told)
