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
from services.kernel.forms.registry import declared
from services.kernel.forms.spec import Question
from services.kernel.forms.versions.queries import standing_form
from services.kernel.workflow.choosing import flow_for, runnable_of, sources_of
from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.diagrams.reading import Finding
from services.kernel.workflow.filling import fields_to_fill
from services.kernel.workflow.models import Case, FlowVersion, MatterSetting, ReviewSetting, StepSetting, VersionState
from services.kernel.workflow.registry import facts_of, matter_named, matters
from services.kernel.workflow.reviewing import KINDS
from services.kernel.workflow.spec import DISPATCHES, MODES, MOST_DAYS, NOTICES, ROUTES, SCREENS, MatterSpec

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
    *,
    matter: str,
    region: str,
    route: str,
    category: str,
    sources: Iterable[str],
    scope: Scope,
    promise: int | None = None,
) -> MatterSetting:
    """Set how a matter is handled (办理模式), its class of business and open sources in a region.

    ``promise`` is within how many working days a 承诺件 is done, none for the declared ones. Raises ``BadInput``.
    """
    spec, place = matter_named(matter), region_to_configure(region, scope=scope)
    known = [each.key for each in sources_of(spec)]
    chosen = [key for key in known if key in set(sources)]
    if route not in ROUTES:
        raise BadInput("route_unknown", f"请选择办理模式：{'、'.join(ROUTES.values())}。")
    if promise is not None and not 1 <= promise <= MOST_DAYS:
        raise BadInput("promise_odd", f"承诺的时限要写 1 到 {MOST_DAYS} 个工作日。")
    if not category.strip() or len(category.strip()) > LONGEST_CATEGORY:
        raise BadInput("category_missing", f"请写业务分类，{LONGEST_CATEGORY} 个字以内。")
    if not chosen:
        raise BadInput("sources_missing", "至少要留一个申请来源。")
    row, _ = MatterSetting.objects.update_or_create(
        matter=matter,
        region_id=place.region_id,
        defaults={
            "route": route,
            "category": category.strip(),
            "sources": chosen,
            "promise": promise,
            "changed_by": scope.actor,
        },
    )
    return row


@transaction.atomic
def set_step(
    *, matter: str, region: str, step: str, days: int, remind: int, dispatch: str, mode: str, post: str,
    notices: Iterable[str], scope: Scope, screens: Iterable[str] | None = None, sections: Iterable[str] | None = None,
    fills: Iterable[str] | None = None,
) -> StepSetting:  # fmt: skip
    """Set one step in a region, for tasks that come from now on; its screens hold at once.

    ``screens``, ``sections`` of the form (none for all) and ``fills`` (fields of the library) stay the flow's own where they are
    None. Raises ``BadInput`` and ``NotFound``.
    """
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
    fillable = fields_to_fill()
    if fills is not None and set(fills) - fillable.keys():
        raise BadInput("fills_unfit", "环节里填写的内容要从字段库里选，身份证号、手机号等不能选。")
    row, _ = StepSetting.objects.update_or_create(
        matter=matter,
        region_id=place.region_id,
        step=step,
        defaults={
            "screens": None if screens is None else [key for key in SCREENS if key in set(screens)],
            "sections": None if sections is None else [each.strip()[:40] for each in sections if each.strip()][:30],
            "fills": None if fills is None else [key for key in fillable if key in set(fills)][:30],
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


@transaction.atomic
def set_review(
    *, matter: str, region: str, kinds: Iterable[str], fields: Iterable[str], requires: Iterable[str],
    excludes: Iterable[str], on_fail: str, scope: Scope,
) -> ReviewSetting:  # fmt: skip
    """Set what the smart review of a matter looks at in a region, from the next review on.

    ``kinds`` are the reviews made, ``fields`` what must be there, ``requires`` and ``excludes`` other matters.
    Raises ``BadInput``.
    """
    spec, place = matter_named(matter), region_to_configure(region, scope=scope)
    known = reviewable(spec, place.region_id)
    others = set(matters())
    if set(fields) - known.keys() or (set(requires) | set(excludes)) - others or set(kinds) - KINDS.keys():
        raise BadInput("review_unknown", "请从列出的审核字段和事项里选。")
    if set(requires) & set(excludes):
        raise BadInput("review_both", "同一个事项不能又是业务关联又是互斥。")
    if on_fail not in ("mark", "supplement"):
        raise BadInput("review_unknown", "请选择没有通过时怎么办。")
    row, _ = ReviewSetting.objects.update_or_create(
        matter=matter,
        region_id=place.region_id,
        defaults={
            "kinds": [key for key in KINDS if key in set(kinds)], "fields": [key for key in known if key in set(fields)],
            "requires": sorted(set(requires)), "excludes": sorted(set(excludes)), "on_fail": on_fail, "changed_by": scope.actor,
        },
    )  # fmt: skip
    return row


@transaction.atomic
def unset_review(*, matter: str, region: str, scope: Scope) -> None:
    """Take back what a region set of a review: the next region above decides again."""
    place = region_to_configure(region, scope=scope)
    ReviewSetting.objects.filter(matter=matter, region_id=place.region_id).delete()


def reviewable(spec: MatterSpec, region_id: int) -> dict[str, str]:
    """Return what a review may want to be there, with its label: items of the forms that count here, else facts."""
    form = declared().forms.get(spec.form)
    if form is None:
        return {fact.key: fact.label for fact in spec.facts}
    found: dict[str, str] = {}
    for entry in form.entries:
        standing = standing_form(form=form.key, entry=entry.key, region_id=region_id).form
        for item in standing.items():
            found.setdefault(item.key, item.field.label if isinstance(item, Question) else item.certificate.name)
    return found


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
