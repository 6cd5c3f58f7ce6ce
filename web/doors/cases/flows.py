"""What regions set of matters on the desk: sources and classes, steps, versions of the flow side by side, moving cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.jobs.models import Job, JobState
from geo.jobs.queries import jobs_visible
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of as region_versions
from geo.scope import Scope
from services.access.queries import scope_for
from services.kernel.forms.registry import form_named
from services.kernel.forms.versions.queries import standing_form
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow import configuring
from services.kernel.workflow.choosing import (
    declared_flow,
    flow_for,
    matter_as_set,
    runnable_of,
    sources_of,
    step_as_set,
)
from services.kernel.workflow.diagrams.comparing import FATES, compared, facts_of
from services.kernel.workflow.filling import fields_to_fill
from services.kernel.workflow.models import FlowVersion, StepSetting
from services.kernel.workflow.moving import MOVE_JOB, running_of, start_moving
from services.kernel.workflow.queries import versions_of
from services.kernel.workflow.registry import matter_named, matters
from services.kernel.workflow.reviewing import KINDS, setting_for
from services.kernel.workflow.rules import TRUTH, complete_key, eligible_key
from services.kernel.workflow.spec import DISPATCHES, LEVELS, MODES, NOTICES, ROUTE_HELP, ROUTES, SCREENS, MatterSpec
from web.api.errors import status_of
from web.doors.common.typed import typed

MOST_BYTES: Final = 1_000_000


@never_cache
@login_required
@require_safe
def matters_page(request: HttpRequest) -> HttpResponse:
    """List the matters with what holds of each in a region."""
    scope = scope_for(request)
    region = configuring.region_to_configure(typed(request, "region")[:20], scope=scope)
    rows = []
    for spec in matters().values():
        as_set = matter_as_set(spec, region.region_id)
        flow = flow_for(spec.key, region.region_id)
        names = {each.key: each.name for each in sources_of(spec)}
        rows.append({"spec": spec, "set": as_set, "route": ROUTES[as_set.route], "flow": flow,  # type: ignore[index]
                     "sources": "、".join(names[key] for key in as_set.sources if key in names)})  # fmt: skip
    context = {"rows": rows, "region": region, "regions": configuring.regions_to_configure(scope=scope)}
    return render(request, "desk/matters.html", context)


@never_cache
@login_required
@require_safe
def matter_page(request: HttpRequest, matter: str) -> HttpResponse:
    """Show what a region set of one matter, and the versions of its flow."""
    return _matter(request, matter)


def _matter(request: HttpRequest, matter: str, fault: CityError | None = None, tried: str = "") -> HttpResponse:
    scope, spec = scope_for(request), matter_named(matter)
    region = configuring.region_to_configure(typed(request, "region")[:20], scope=scope)
    as_set = matter_as_set(spec, region.region_id)
    declared_flow(matter)
    flow = flow_for(matter, region.region_id)
    versions = list(versions_of(matter, region.region_id))
    context = {
        "spec": spec,
        "region": region,
        "regions": configuring.regions_to_configure(scope=scope),
        "set": as_set,
        "set_here": as_set.pk is not None and as_set.region_id == region.region_id,
        "routes": ROUTES.items(),
        "sources": [(each, each.key in as_set.sources) for each in sources_of(spec)],
        "flow": flow,
        "flow_region": _name(flow.region_id),
        "steps": _steps(spec, region, flow),
        "review": _review(spec, region),
        "route_help": [(ROUTES[key], ROUTE_HELP[key]) for key in ROUTES],
        "promised": as_set.promise or spec.promise,
        "screens": SCREENS.items(),
        "fillable": [(key, each.label) for key, each in fields_to_fill().items()],
        "sections": _sections(spec, region),
        "dispatches": DISPATCHES.items(),
        "modes": MODES.items(),
        "notices": NOTICES.items(),
        "versions": versions,
        "newest": versions[0].number if versions else 0,
        "movable": len(running_of(flow)) if flow.region_id == region.region_id else 0,
        "moves": Job.objects.filter(kind=MOVE_JOB, params__version__in=[row.pk for row in versions])[:5],
        "fault": fault,
        "tried": tried,
    }
    return render(request, "desk/matter.html", context, status=status_of(fault) if fault else 200)


def _steps(spec: MatterSpec, region: RegionVersion, flow: FlowVersion) -> list[dict[str, Any]]:
    chain = chain_of(region.region_id)
    own = set(StepSetting.objects.filter(matter=spec.key, region=region.region_id).values_list("step", flat=True))
    found = []
    for step in runnable_of(flow).graph.steps.values():
        as_set, post = step_as_set(spec.key, step, chain)
        found.append(
            {"step": as_set, "post": post, "posts": configuring.posts_for(step.duty), "own": step.key in own,
             "level": LEVELS[step.level], "dispatch": DISPATCHES[as_set.dispatch], "mode": MODES[as_set.mode]}
        )  # fmt: skip
    return found


def _sections(spec: MatterSpec, region: RegionVersion) -> list[str]:
    """Return the headings of the forms that a matter asks in a region."""
    if not spec.form:
        return []
    forms = [
        standing_form(form=spec.form, entry=entry.key, region_id=region.region_id).form
        for entry in form_named(spec.form).entries
    ]
    return list(dict.fromkeys(section.title for form in forms for section in form.sections))


def _review(spec: MatterSpec, region: RegionVersion) -> dict[str, Any]:
    """Return what the smart review of a matter looks at in a region, and what it could look at."""
    setting = setting_for(spec.key, region.region_id)
    others = list(matters().values())
    return {
        "set": setting,
        "own": setting.pk is not None and setting.region_id == region.region_id,
        "kinds": [(key, name, key in setting.kinds) for key, name in KINDS.items()],
        "fields": [
            (key, label, key in setting.fields) for key, label in configuring.reviewable(spec, region.region_id).items()
        ],
        "requires": [(each.key, each.title, each.key in setting.requires) for each in others if each.key != spec.key],
        "excludes": [(each.key, each.title, each.key in setting.excludes) for each in others],
        "rules": [TRUTH.key, complete_key(spec.key), eligible_key(spec.key)],
    }


def _name(region_id: int) -> str:
    row = region_versions(scope=Scope.public()).filter(region_id=region_id).first()
    return row.name if row else ""


@login_required
@require_POST
def set_matter(request: HttpRequest, matter: str) -> HttpResponse:
    """Set class and sources of a matter in a region."""

    def act() -> str:
        configuring.set_matter(
            matter=matter,
            region=typed(request, "region")[:20],
            route=typed(request, "route")[:10],
            category=typed(request, "category"),
            sources=request.POST.getlist("source"),
            promise=_number(request, "promise") if typed(request, "promise").strip() else None,
            scope=scope_for(request),
        )
        return "已保存，对以后提交的办件生效。"

    return _saved(request, matter, act, "matter")


@login_required
@require_POST
def set_step(request: HttpRequest, matter: str, step: str) -> HttpResponse:
    """Set one step of a matter in a region, or take that back."""

    def act() -> str:
        place: dict[str, Any] = {"matter": matter, "region": typed(request, "region")[:20], "step": step}
        if typed(request, "act") == "unset":
            configuring.unset_step(scope=scope_for(request), **place)
            return "已改为沿用上级的设置。"
        configuring.set_step(
            days=_number(request, "days"),
            remind=_number(request, "remind"),
            dispatch=typed(request, "dispatch")[:10],
            mode=typed(request, "mode")[:10],
            post=typed(request, "post")[:40],
            notices=request.POST.getlist("notice"),
            **_screens(request),
            scope=scope_for(request),
            **place,
        )
        return "已保存，对以后到这个环节的办件生效。"

    return _saved(request, matter, act, step)


def _screens(request: HttpRequest) -> dict[str, Any]:
    """Return what a step shows and fills in, as it was ticked; as the flow says where the page did not ask."""
    if typed(request, "interface") != "1":
        return {"screens": None, "sections": None, "fills": None}
    return {name: [each[:60] for each in request.POST.getlist(name)] for name in ("screens", "sections", "fills")}


@login_required
@require_POST
def set_review(request: HttpRequest, matter: str) -> HttpResponse:
    """Set what the smart review of a matter looks at in a region, or take that back."""

    def act() -> str:
        place: dict[str, Any] = {"matter": matter, "region": typed(request, "region")[:20], "scope": scope_for(request)}
        if typed(request, "act") == "unset":
            configuring.unset_review(**place)
            return "已改为沿用上级的设置。"
        names = ("kinds", "fields", "requires", "excludes")
        lists: dict[str, Any] = {name: [each[:60] for each in request.POST.getlist(name)] for name in names}
        configuring.set_review(on_fail=typed(request, "on_fail")[:12], **lists, **place)
        return "已保存，对以后的智能审核生效。"

    return _saved(request, matter, act, "review")


@login_required
@require_POST
def save_flow(request: HttpRequest, matter: str) -> HttpResponse:
    """Keep a diagram as a new draft, from a file or from the editor's field ``xml``."""

    def act() -> str:
        row = configuring.save_flow(
            matter=matter,
            region=typed(request, "region")[:20],
            xml=_diagram(request),
            note=typed(request, "note"),
            seen=_number(request, "seen"),
            scope=scope_for(request),
        )
        return f"已存为第 {row.number} 版草稿。看过和现用版本的差别以后，再发布。"

    return _saved(request, matter, act, "flow")


def _diagram(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return typed(request, "xml")
    if (file.size or 0) > MOST_BYTES:
        raise BadInput("too_large", "流程图文件超过 1 MB，请删去无关内容后再上传。")
    try:
        return str(file.read(), "utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("not_bpmn", "流程图文件要用 UTF-8 编码保存。") from None


@login_required
@require_safe
def diagram(request: HttpRequest, version_id: int) -> HttpResponse:
    """Send the diagram of a version as a file."""
    row = configuring.flow_to_configure(version_id, scope=scope_for(request))
    response = HttpResponse(row.xml, content_type="application/xml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.matter}-{row.number}.bpmn"'
    return response


@login_required
@require_POST
def act_on_flow(request: HttpRequest, version_id: int, act: str) -> HttpResponse:
    """Publish a version, delete a draft, or move running cases to it."""
    scope = scope_for(request)
    row = configuring.flow_to_configure(version_id, scope=scope)

    def do() -> str:
        if act == "publish":
            configuring.publish_flow(version_id=version_id, scope=scope)
            return f"已发布第 {row.number} 版，新的办件从现在起用它。在办的办件仍走原来的版本，可以另外换过来。"
        if act == "drop":
            configuring.drop_draft(version_id=version_id, scope=scope)
            return f"已删除第 {row.number} 版草稿。"
        if act == "move":
            job = start_moving(version_id=version_id, scope=scope)
            return f"正在把在办的办件换到第 {row.number} 版，任务编号 {str(job.pk)[:8]}，结果在“换版本的报告”里看。"
        raise NotFound("act_unknown", "没有这种动作。")

    return _saved(request, row.matter, do, "flow", region=_code(row.region_id, scope))


def _code(region_id: int, scope: Scope) -> str:
    return next(
        (each.code for each in configuring.regions_to_configure(scope=scope) if each.region_id == region_id), ""
    )


@never_cache
@login_required
@require_safe
def compare_page(request: HttpRequest, matter: str) -> HttpResponse:
    """Show two versions of a flow side by side."""
    scope, spec = scope_for(request), matter_named(matter)
    before = configuring.flow_to_configure(_number(request, "a"), scope=scope)
    after = configuring.flow_to_configure(_number(request, "b"), scope=scope)
    if before.matter != matter or after.matter != matter:
        raise NotFound("flow_unknown", "没有找到这个流程版本。")
    graphs = [runnable_of(row).graph for row in (before, after)]
    pairs = [
        {
            "pair": pair,
            "fate": FATES[pair.fate],
            "facts": facts_of(graphs[1 if pair.fate == "added" else 0], graphs[1 if pair.fate == "added" else 0].steps[pair.key])
            if pair.fate in ("added", "removed")
            else {},
        }
        for pair in compared(*graphs)
    ]  # fmt: skip
    context = {"spec": spec, "before": before, "after": after, "pairs": pairs, "region": _code(after.region_id, scope)}
    return render(request, "desk/flow_compare.html", context)


@never_cache
@login_required
@require_safe
def move_report(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show how far the moving of cases is, and which could not be moved and why."""
    scope = scope_for(request)
    configuring.regions_to_configure(scope=scope)
    job = jobs_visible(scope=scope).filter(pk=job_id, kind=MOVE_JOB).first()
    row = configuring.flow_to_configure(int(job.params["version"]), scope=scope) if job else None
    if job is None or row is None:
        raise NotFound("job_unknown", "没有找到这份报告。")
    context = {
        "job": job,
        "version": row,
        "spec": matter_named(row.matter),
        "region": _code(row.region_id, scope),
        "open": job.state in (JobState.QUEUED, JobState.RUNNING),
        "percent": round(100 * job.progress),
    }
    return render(request, "desk/flow_moves.html", context)


def _number(request: HttpRequest, name: str) -> int:
    text = typed(request, name).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _saved(request: HttpRequest, matter: str, act: Callable[[], str], tried: str, *, region: str = "") -> HttpResponse:
    try:
        done = act()
    except (BadInput, Conflict) as fault:
        return _matter(request, matter, fault, tried)
    said.success(request, done)
    code = region or typed(request, "region")[:20]
    return redirect(f"{reverse('desk-matter', args=[matter])}?region={code}")
