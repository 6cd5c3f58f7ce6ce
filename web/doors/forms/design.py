"""Composing forms at the desk: versions of a region's form, arranging a draft, linkage by clicking, preview, comparison,
publishing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from services.access.queries import scope_for
from services.kernel.documents.rendering.documents import render_document
from services.kernel.documents.templates.queries import text_for
from services.kernel.expressions import ExpressionFault
from services.kernel.forms.answering import validate
from services.kernel.forms.answering.conditions import words_of
from services.kernel.forms.answering.linking import choices_of, is_required, kinds_of, labels_of
from services.kernel.forms.composing import Composed, arranging
from services.kernel.forms.composing.comparing import compare
from services.kernel.forms.documents import TEMPLATE, region_name, sheet
from services.kernel.forms.library.queries import library_now
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import FormVersion, VersionState
from services.kernel.forms.queries import Line, Part
from services.kernel.forms.registry import declared, entry_named, form_named
from services.kernel.forms.spec import KIND_NAMES, Form, Item, Paper, Question, When
from services.kernel.forms.versions import actions
from services.kernel.forms.versions.queries import (
    composed_of,
    region_to_compose,
    regions_to_compose,
    standing_form,
    version_kept,
    versions_kept,
)
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.forms.filling import send_pdf
from web.doors.forms.items import Page, posted

BLANK: Final = "　"


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show every form and entry with what counts in a region, and drafts."""
    scope = scope_for(request)
    region = region_to_compose(typed(request, "region"), scope=scope)
    lines = []
    for spec in declared().forms.values():
        for entry in spec.entries:
            standing = standing_form(form=spec.key, entry=entry.key, region_id=region.region_id)
            rows = versions_kept(form=spec.key, entry=entry.key, region_id=region.region_id, scope=scope)
            lines.append(
                {
                    "spec": spec,
                    "entry": entry,
                    "standing": standing.version,
                    "form": standing.form,
                    "from": region_name(standing.version.region_id) if standing.version else "系统自带",
                    "draft": rows.filter(state=VersionState.DRAFT).first(),
                }
            )
    return render(
        request, "desk/forms.html", {"lines": lines, "region": region, "regions": regions_to_compose(scope=scope)}
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def versions_page(request: HttpRequest, key: str, entry: str) -> HttpResponse:
    """Show the versions of a region's form for an entry; begin a draft."""
    scope, spec = scope_for(request), form_named(key)
    declared_entry = entry_named(spec, entry)
    region = region_to_compose(typed(request, "region"), scope=scope)
    if request.method == "POST":
        draft = actions.begin_draft(form=key, entry=entry, region=region.code, scope=scope)
        return redirect("desk-form-version", draft.pk)
    rows = list(versions_kept(form=key, entry=entry, region_id=region.region_id, scope=scope))
    standing = standing_form(form=key, entry=entry, region_id=region.region_id)
    context = {
        "spec": spec,
        "entry": declared_entry,
        "region": region,
        "regions": regions_to_compose(scope=scope),
        "rows": rows,
        "standing": standing.version,
        "from": region_name(standing.version.region_id) if standing.version else "系统自带",
        "draft": next((row for row in rows if row.state == VersionState.DRAFT), None),
    }
    return render(request, "desk/form_versions.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def version_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Show a version; arrange a draft: sections, items, their order; publish it."""
    scope = scope_for(request)
    row = version_kept(version_id, scope=scope)
    if request.method == "GET":
        return _version(request, row)
    try:
        done = _act(request, row)
    except (BadInput, Conflict) as fault:
        return _version(request, version_kept(version_id, scope=scope), fault)
    if done is None:
        return redirect(f"{reverse('desk-form', args=[row.form, row.entry])}?region={_code(row, request)}")
    return redirect(f"{reverse('desk-form-version', args=[done.pk])}{_anchor(request)}")


def _act(request: HttpRequest, row: FormVersion) -> FormVersion | None:
    scope, seen, act = scope_for(request), number_of(typed(request, "seen")), typed(request, "act")
    if act == "publish":
        day = typed(request, "from_day")
        done = actions.publish_version(
            version_id=row.pk, seen=seen, from_day=_day(day), note=typed(request, "note"), scope=scope
        )
        said.success(request, f"第 {done.number} 版已发布，{done.from_day} 起启用。")
        return done
    if act == "withdraw":
        done = actions.withdraw_version(version_id=row.pk, scope=scope)
        said.success(request, f"第 {done.number} 版已撤回，改用前一版或上级的表。")
        return done
    if act == "again":
        return actions.begin_again(version_id=row.pk, scope=scope)
    if act == "discard":
        actions.discard_draft(version_id=row.pk, seen=seen, scope=scope)
        said.success(request, "草稿已放弃。")
        return None
    change = _ARRANGE.get(act)
    if change is None:
        raise BadInput("act_unknown", "请选择要做的改动。")
    return actions.save_draft(version_id=row.pk, composition=change(row.composition, request), seen=seen, scope=scope)


def _at(request: HttpRequest) -> int:
    return number_of(typed(request, "section"))


def _checks_typed(request: HttpRequest) -> list[dict[str, str]]:
    columns = [request.POST.getlist(name) for name in ("expression", "sentence", "at")]
    return [dict(zip(("expression", "sentence", "at"), one, strict=True)) for one in zip(*columns, strict=False)]


_ARRANGE: Final[dict[str, Callable[[dict[str, Any], HttpRequest], dict[str, Any]]]] = {
    "add-section": lambda data, request: arranging.add_section(data, typed(request, "title"), typed(request, "help")),
    "change-section": lambda data, request: arranging.change_section(
        data, _at(request), typed(request, "title"), typed(request, "help")
    ),
    "section-up": lambda data, request: arranging.move_section(data, _at(request), -1),
    "section-down": lambda data, request: arranging.move_section(data, _at(request), 1),
    "remove-section": lambda data, request: arranging.remove_section(data, _at(request)),
    "add": lambda data, request: arranging.add_items(data, _at(request), request.POST.getlist("key")),
    "up": lambda data, request: arranging.move_item(data, typed(request, "key"), -1),
    "down": lambda data, request: arranging.move_item(data, typed(request, "key"), 1),
    "remove": lambda data, request: arranging.remove_item(data, typed(request, "key")),
    "checks": lambda data, request: arranging.set_checks(data, _checks_typed(request)),
    "help": lambda data, request: {**data, "help": typed(request, "help")[:500]},
}


def _version(request: HttpRequest, row: FormVersion, fault: CityError | None = None) -> HttpResponse:
    library = library_now()
    composed = composed_of(row, library)
    spec = form_named(row.form)
    used = {item.key for item in composed.form.items()}
    problems: dict[str, list[str]] = {}
    for one in composed.problems:
        problems.setdefault(one.at, []).append(one.sentence)
    rows = versions_kept(form=row.form, entry=row.entry, region_id=row.region_id, scope=scope_for(request))
    labels = labels_of(composed.form)
    context = {
        "row": row,
        "spec": spec,
        "entry": spec.entry(row.entry),
        "region": region_name(row.region_id),
        "code": _code(row, request),
        "draft": row.state == VersionState.DRAFT,
        "sections": _sections(row, composed, library, problems),
        "problems": composed.problems,
        "whole": problems.get("", []),
        "others": [one for one in rows if one.pk != row.pk and one.state != VersionState.DRAFT],
        "groups": _unused(library, used),
        "papers": [one for key, one in sorted(library.certificates.items()) if key not in used],
        "checks": [*row.composition.get("checks", []), {}],
        "names": [(key, label) for key, label in labels.items()],
        "fault": fault,
        "said_by_fault": fault.detail.get("problems", []) if fault else [],
        "today": timezone.localdate(),
    }
    return render(request, "desk/form_version.html", context, status=status_of(fault) if fault else 200)


def _sections(
    row: FormVersion, composed: Composed, library: Any, problems: dict[str, list[str]]
) -> list[dict[str, Any]]:
    made = {item.key: item for item in composed.form.items()}

    def line(raw: dict[str, Any]) -> dict[str, Any]:
        key = raw["key"]
        item = made.get(key)
        shown = _said(item.shown, composed.form) if item else ""
        required = _said(item.required, composed.form) if item else ""
        always = item is not None and is_required(item)
        return {
            "key": key,
            "label": label_of(item) if item else key,
            "kind": _kind(item),
            "shown": shown,
            "required": required,
            "always": always,
            "fixed": bool(raw.get("fixed")),
            "problems": problems.get(key, []),
            "changed": sorted(set(raw) - {"key", "fixed", "shown", "required"}),
        }

    return [
        {
            "number": number,
            "title": one.get("title", ""),
            "help": one.get("help", ""),
            "items": [line(raw) for raw in one.get("items", ())],
        }
        for number, one in enumerate(row.composition.get("sections", ()))
    ]


def _unused(library: Any, used: set[str]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for key, one in library.fields.items():
        if key not in used:
            groups.setdefault(one.group or "其他", []).append(one)
    return list(groups.items())


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def preview_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Show a version as people will meet it, on a phone or a PC; linkage and checks answer, nothing is kept."""
    row = version_kept(version_id, scope=scope_for(request))
    form = composed_of(row).form
    answers = posted(form, request.POST) if request.method == "POST" else {}
    checked = validate(form, answers, known=CityKnown(), today=timezone.localdate())
    region = next((one for one in regions_to_compose(scope=scope_for(request)) if one.region_id == row.region_id), None)
    page = Page(form, {**answers, **checked.answers}, checked, region.path if region else "", tell=bool(answers))
    spec = form_named(row.form)
    context = {
        "row": row,
        "spec": spec,
        "entry": spec.entry(row.entry),
        "form": form,
        "sections": page.sections(),
        "region": region_name(row.region_id),
        "view": "phone" if typed(request, "view") == "phone" else "pc",
        "papers": [one for one in form.papers() if one.key in checked.linked.shown],
        "tried": bool(answers),
        "good": checked.good,
    }
    return render(request, "desk/form_preview.html", context)


@never_cache
@login_required
@require_safe
def pdf(request: HttpRequest, version_id: int) -> HttpResponse:
    """Send the blank form of a version as PDF."""
    row = version_kept(version_id, scope=scope_for(request))
    form = composed_of(row).form
    parts = [
        Part(one.title, tuple(Line(item.key, label_of(item), BLANK) for item in one.items))
        for one in form.sections
        if one.items
    ]
    entry = form_named(row.form).entry(row.entry)
    facts = sheet(title=form.title, entry=entry.name if entry else "", region=region_name(row.region_id), parts=parts)
    return send_pdf(
        render_document(text_for(key=TEMPLATE, region_id=row.region_id), facts, "pdf"), f"{form.title}-{row.number}"
    )


@never_cache
@login_required
@require_safe
def compare_page(request: HttpRequest, version_id: int, other_id: int) -> HttpResponse:
    """Show two versions side by side."""
    scope = scope_for(request)
    left, right = version_kept(other_id, scope=scope), version_kept(version_id, scope=scope)
    if (left.form, left.entry) != (right.form, right.entry):
        raise NotFound("form_version_unknown", "只能对比同一张表的两版。")
    lines = compare(composed_of(left).form, composed_of(right).form)
    context = {
        "left": left,
        "right": right,
        "lines": lines,
        "spec": form_named(left.form),
        "same": all(one.sort == "same" for one in lines),
    }
    return render(request, "desk/form_compare.html", context)


@login_required
@require_POST
def place(request: HttpRequest, version_id: int) -> HttpResponse:
    """Keep where an item was dropped."""
    scope = scope_for(request)
    row = version_kept(version_id, scope=scope)
    data = arranging.place_item(row.composition, typed(request, "key"), _at(request), number_of(typed(request, "at")))
    done = actions.save_draft(version_id=row.pk, composition=data, seen=number_of(typed(request, "seen")), scope=scope)
    return HttpResponse(str(done.version), content_type="text/plain")


def label_of(item: Item | None) -> str:
    """Return what people call an item."""
    if item is None:
        return ""
    return item.field.label if isinstance(item, Question) else item.certificate.name


def _kind(item: Item | None) -> str:
    if item is None:
        return ""
    return "材料" if isinstance(item, Paper) else KIND_NAMES[item.field.kind]


def _said(when: When | None, form: Form) -> str:
    if when is None:
        return ""
    try:
        return words_of(when, kinds_of(form), labels_of(form), choices_of(form))
    except ExpressionFault as fault:
        return fault.message


def _code(row: FormVersion, request: HttpRequest) -> str:
    regions = regions_to_compose(scope=scope_for(request))
    return next((one.code for one in regions if one.region_id == row.region_id), "")


def _anchor(request: HttpRequest) -> str:
    if key := typed(request, "key"):
        return f"#i-{key}" if typed(request, "act") in ("up", "down") else f"#sec-{_at(request)}"
    return f"#sec-{_at(request)}" if typed(request, "section") else ""


def number_of(text: str) -> int:
    """Return a whole number that was typed, 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("from_day_invalid", "启用日期要写成 2026-09-01 的样子。") from None
