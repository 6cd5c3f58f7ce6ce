"""Drawing the flow of a matter: the editor, what is wrong with a drawing, and keeping one as a draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError, NotFound
from services.access.queries import scope_for
from services.access.roles import roles
from services.kernel.workflow.choosing import flow_for, runnable_of
from services.kernel.workflow.configuring import (
    duties_known,
    faults_of,
    flow_to_configure,
    region_to_configure,
    regions_to_configure,
    save_flow,
)
from services.kernel.workflow.diagrams.reading import Finding
from services.kernel.workflow.models import FlowVersion
from services.kernel.workflow.queries import versions_of
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.spec import (
    DISPATCHES,
    LEVELS,
    MODES,
    MOST_OUTCOMES,
    NOTICES,
    RESULTS,
    SCREENS,
    MatterSpec,
)
from web.api.errors import status_of
from web.doors.common.typed import typed


@never_cache
@login_required
@require_safe
def draw(request: HttpRequest, matter: str) -> HttpResponse:
    """Show the editor with the flow of a region, or with the version that was asked for."""
    scope = scope_for(request)
    spec = matter_named(matter)
    place = region_to_configure(typed(request, "region")[:20], scope=scope)
    asked = typed(request, "version")
    if asked.isascii() and asked.isdigit() and len(asked) < 18:
        begun = flow_to_configure(int(asked), scope=scope)
    else:
        begun = flow_for(matter, place.region_id)
    if begun.matter != matter:
        raise NotFound("flow_unknown", "没有找到这个流程版本。")
    newest = versions_of(matter, place.region_id).order_by("-number").first()
    context = {
        "spec": spec,
        "region": place,
        "begun": begun,
        "own": begun.region_id == place.region_id,
        "known": _known(spec, begun, place.code) | {"seen": newest.number if newest else 0},
        "steps": [(step, LEVELS[step.level], MODES[step.mode]) for step in runnable_of(begun).graph.steps.values()],
    }
    return render(request, "desk/flow_editor.html", context)


@login_required
@require_POST
def check(request: HttpRequest, matter: str) -> JsonResponse:
    """Say what is wrong with a drawing."""
    regions_to_configure(scope=scope_for(request))
    matter_named(matter)
    return JsonResponse({"findings": _told(faults_of(matter, typed(request, "xml")))})


@login_required
@require_POST
def keep(request: HttpRequest, matter: str) -> JsonResponse:
    """Keep a drawing as the next draft; answer with the page of the matter, or with what is wrong."""
    seen = typed(request, "seen")
    region = typed(request, "region")[:20]
    try:
        version = save_flow(
            matter=matter,
            region=region,
            xml=typed(request, "xml"),
            note=typed(request, "note"),
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else -1,
            scope=scope_for(request),
        )
    except CityError as fault:
        told = {"message": fault.message, "findings": fault.detail.get("findings", [])}
        return JsonResponse(told, status=status_of(fault))
    said.success(request, f"已存为第 {version.number} 版草稿。看过和现用版本的差别以后，再发布。")
    return JsonResponse({"page": f"{reverse('desk-matter', args=[matter])}?region={region}#versions"})


def _known(spec: MatterSpec, begun: FlowVersion, region: str) -> dict[str, Any]:
    """Return what the editor needs to know, as its island of JSON."""
    duties = {duty: "、".join(role.name for role in roles() if duty in role.duties) for duty in sorted(duties_known())}
    return {
        "xml": begun.xml,
        "begun": f"{spec.key}:{region}:{begun.pk}",
        "region": region,
        "facts": {fact.key: fact.label for fact in spec.facts},
        "duties": duties,
        "levels": dict(LEVELS),
        "modes": dict(MODES),
        "dispatches": dict(DISPATCHES),
        "screens": dict(SCREENS),
        "notices": dict(NOTICES),
        "results": dict(RESULTS),
        "mostOutcomes": MOST_OUTCOMES,
        "check": reverse("desk-flow-check", args=[spec.key]),
        "keep": reverse("desk-flow-keep", args=[spec.key]),
    }


def _told(findings: list[Finding]) -> list[dict[str, str]]:
    return [{"code": each.code, "element": each.element, "message": each.message} for each in findings]
