"""What is written down of matters: the city's templates, the catalogue of each region, and the papers asked for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, Conflict
from services.access.queries import check_duty, holds_citywide, scope_for
from services.kernel.forms.library.queries import library_now
from services.kernel.workflow import cataloguing, configuring
from services.kernel.workflow.catalogue import earlier_wordings, entries_of, template_named, templates_kept
from services.kernel.workflow.models import Audience, MatterKind
from services.kernel.workflow.papers import papers_of_all, set_papers
from services.kernel.workflow.registry import matters
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed

_TEXTS = ("name", "matter", "kind", "authority", "basis", "audience", "conditions", "fee", "phone", "note")


@never_cache
@login_required
@require_safe
def templates_page(request: HttpRequest) -> HttpResponse:
    """List the templates of matters."""
    scope = scope_for(request)
    check_duty(scope, cataloguing.DUTY)
    context = {"rows": list(templates_kept()), "may_edit": holds_citywide(scope, cataloguing.DUTY)}
    return render(request, "desk/matter_templates.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def template_page(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show a template with its earlier wordings, and write the next one; or write a new one."""
    scope = scope_for(request)
    check_duty(scope, cataloguing.DUTY)
    row = template_named(code) if code else None
    fault: CityError | None = None
    if request.method == "POST":
        try:
            saved = cataloguing.save_template(
                code=code or typed(request, "code").strip(), seen=number_typed(request, "seen"), values=_values(request),
                scope=scope,
            )  # fmt: skip
            said.success(request, f"已保存第 {saved.version} 版。")
            return redirect("desk-matter-template", saved.code)
        except (BadInput, Conflict) as wrong:
            fault = wrong
    context = {
        "row": row,
        "now": _values(request) if fault else row,
        "code": code or typed(request, "code"),
        "seen": number_typed(request, "seen") if fault else (row.version if row else 0),
        "earlier": earlier_wordings(row) if row else [],
        "kinds": MatterKind.choices,
        "audiences": Audience.choices,
        "matters": list(matters().values()),
        "may_edit": holds_citywide(scope, cataloguing.DUTY),
        "fault": fault,
    }
    return render(request, "desk/matter_template.html", context, status=status_of(fault) if fault else 200)


def _values(request: HttpRequest) -> dict[str, Any]:
    days = {name: number_typed(request, name) or None for name in ("legal_days", "promise_days")}
    return {name: typed(request, name) for name in _TEXTS} | days | {"active": typed(request, "active") == "1"}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def catalogue_page(request: HttpRequest) -> HttpResponse:
    """Show the catalogue that holds in a region, and keep the region's own lines."""
    scope = scope_for(request)
    region = configuring.region_to_configure(typed(request, "region")[:20], scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            place: dict[str, Any] = {"code": typed(request, "code")[:40], "region": region.code, "scope": scope}
            if typed(request, "act") == "drop":
                cataloguing.drop_entry(**place)
            else:
                cataloguing.set_entry(
                    heading=typed(request, "heading"), position=number_typed(request, "position"),
                    offered=typed(request, "offered") == "1", **place,
                )  # fmt: skip
            said.success(request, "目录已更新。")
            return redirect(f"{reverse('desk-matter-catalogue')}?region={region.code}")
        except BadInput as wrong:
            fault = wrong
    entries = entries_of(region.region_id)
    listed = {row.template_id for row in entries}
    context = {
        "region": region,
        "regions": configuring.regions_to_configure(scope=scope),
        "entries": [{"row": row, "own": row.region_id == region.region_id} for row in entries],
        "unlisted": [row for row in templates_kept().filter(active=True) if row.pk not in listed],
        "fault": fault,
    }
    return render(request, "desk/matter_catalogue.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def papers_page(request: HttpRequest) -> HttpResponse:
    """Show which certificates every matter asks for in a region, and change one matter's."""
    scope = scope_for(request)
    region = configuring.region_to_configure(typed(request, "region")[:20], scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            chosen = {key[6:]: typed(request, key)[:4] for key in request.POST if key.startswith("paper-")}
            chosen = {code: how for code, how in chosen.items() if how}
            set_papers(
                matter=typed(request, "matter")[:60], entry=typed(request, "entry")[:40], region=region.code,
                chosen=chosen, note=typed(request, "note"), scope=scope,
            )  # fmt: skip
            said.success(request, "已保存，今天起按新的材料收。填到一半的人会看到换了新版。")
            return redirect(f"{reverse('desk-matter-papers')}?region={region.code}")
        except (BadInput, Conflict) as wrong:
            fault = wrong
    library = sorted(library_now().certificates.values(), key=lambda each: each.code)
    rows = [
        {
            "spec": spec,
            "entry": entry,
            "entry_name": name,
            "asked": asked,
            "choices": [
                (each, next((one for one in asked if one.certificate.code == each.code), None)) for each in library
            ],
        }
        for spec, entry, name, asked in papers_of_all(region.region_id)
    ]
    context = {
        "region": region,
        "regions": configuring.regions_to_configure(scope=scope),
        "rows": rows,
        "may_edit": scope.holds("forms.configure"),
        "fault": fault,
    }
    return render(request, "desk/matter_papers.html", context, status=status_of(fault) if fault else 200)
