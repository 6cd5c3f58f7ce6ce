"""The city's library at the desk: fields, dictionaries, and the catalogue of certificates with their versions and sample
files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from services.access.queries import check_duty, holds_citywide, scope_for
from services.facilities.kinds import all_kinds
from services.kernel.documents.spec import FileType
from services.kernel.forms.library import actions
from services.kernel.forms.library.coding import RULE
from services.kernel.forms.library.queries import (
    CATEGORIES,
    CONFIGURE,
    LIBRARY,
    MATTERS,
    certificate_row,
    certificate_value,
    certificate_versions,
    certificates_found,
    dictionaries_now,
    dictionary_rows,
    field_rows,
    field_value,
)
from services.kernel.forms.models import Medium
from services.kernel.forms.spec import ALL_CHANGES, CHANGES, KIND_NAMES, Certificate, Change, Checks, Field, FieldKind
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.forms.item import CHECKS

LEVELS: Final = (("district", "区"), ("street", "街镇"), ("committee", "居委"))


@never_cache
@login_required
@require_safe
def fields_page(request: HttpRequest) -> HttpResponse:
    """Show the fields by group, and the dictionaries."""
    scope = scope_for(request)
    text = typed(request, "q")[:60]
    rows = field_rows(scope=scope).order_by("group", "position")
    rows = rows.filter(label__icontains=text) if text else rows
    context = {
        "rows": rows,
        "q": text,
        "dictionaries": dictionary_rows(scope=scope),
        "may_edit": holds_citywide(scope, LIBRARY),
    }
    return render(request, "desk/form_fields.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def field_page(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show, add or change one field of the library."""
    scope = scope_for(request)
    row = field_rows(scope=scope).filter(key=key).first() if key else None
    if key and row is None:
        raise NotFound("field_unknown", "字段库里没有这个字段。")
    value = field_value(row) if row else Field("", "")
    fault: CityError | None = None
    active = row.active if row else True
    if request.method == "POST":
        try:
            value, active = _field_typed(request, value), bool(typed(request, "active"))
            saved = actions.save_field(field=value, seen=_number(typed(request, "seen")), active=active, scope=scope)
            said.success(request, f"已保存“{saved.label}”。已发布的表单不变，各区下次发布时用上新的。")
            return redirect("desk-form-field", saved.key)
        except (BadInput, Conflict, NotFound) as wrong:
            fault = wrong
    checks = [(name, words, getattr(value.checks, name)) for name, words in CHECKS]
    context = {
        "row": row,
        "value": value,
        "active": active,
        "kinds": KIND_NAMES.items(),
        "checks": checks,
        "levels": LEVELS,
        "fault": fault,
        "changes": [(name, words, name in value.changes) for name, words in CHANGES.items()],
        "places": all_kinds(),
        "dictionaries": dictionary_rows(scope=scope),
        "may_edit": holds_citywide(scope, LIBRARY),
        "history": _history(row) if row else [],
    }
    return render(request, "desk/form_field.html", context, status=status_of(fault) if fault else 200)


def _history(row: Any) -> list[Any]:
    events = type(row).pgh_event_model.objects.filter(pgh_obj_id=row.pk).select_related("pgh_context")
    return list(events.order_by("-pgh_id")[:20])


def _field_typed(request: HttpRequest, known: Field) -> Field:
    checks = {name: typed(request, f"check-{name}").strip() for name, _ in CHECKS}
    try:
        read = Checks(
            required=bool(typed(request, "required")),
            shortest=int(checks["shortest"]) if checks["shortest"] else None,
            longest=int(checks["longest"]) if checks["longest"] else None,
            **{name: checks[name] or None for name in ("least", "most", "earliest", "latest")},
            pattern=checks["pattern"],
            pattern_says=checks["pattern_says"][:200],
        )
        for bound in (read.least, read.most):
            float(bound or 0)
    except ValueError:
        raise BadInput("checks_invalid", "检验规则里的数字要填数字。") from None
    chosen = request.POST.getlist("changes")
    return replace(
        known,
        key=known.key or typed(request, "key").strip(),
        label=typed(request, "label").strip(),
        checks=read,
        kind=cast(FieldKind, known.kind if known.key else typed(request, "kind")),
        dictionary=typed(request, "dictionary"),
        help=typed(request, "help").strip(),
        unit=typed(request, "unit").strip()[:10],
        sensitive=bool(typed(request, "sensitive")),
        level=typed(request, "level") or "district",
        facility_kind=typed(request, "facility_kind"),
        group=typed(request, "group").strip(),
        changes=cast(tuple[Change, ...], tuple(one for one in ALL_CHANGES if one in chosen)),
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def dictionary_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a dictionary; change its lines, add one, withdraw one."""
    scope = scope_for(request)
    row = dictionary_rows(scope=scope).filter(key=key).first()
    if row is None:
        raise NotFound("dictionary_unknown", "没有这份码表。")
    fault: CityError | None = None
    if request.method == "POST":
        lines = _lines_typed(request)
        try:
            actions.save_terms(dictionary=key, lines=lines, seen=_number(typed(request, "seen")), scope=scope)
            said.success(request, "码表已保存，正在填的表单马上用新的选项；已提交的不变。")
            return redirect("desk-form-dictionary", key)
        except (BadInput, Conflict) as wrong:
            fault = wrong
    terms = [(term.code, term.label, term.active) for term in row.terms.order_by("position", "id")]
    context = {
        "row": row,
        "terms": _lines_typed(request) if fault else terms,
        "fault": fault,
        "may_edit": holds_citywide(scope, LIBRARY),
        "blank": range(3),
        "used": row.fields.all(),
    }
    return render(request, "desk/form_dictionary.html", context, status=status_of(fault) if fault else 200)


def _lines_typed(request: HttpRequest) -> list[tuple[str, str, bool]]:
    codes, labels = request.POST.getlist("code"), request.POST.getlist("label")
    places = request.POST.getlist("place")
    on = set(request.POST.getlist("on"))
    lines = [
        (int(place) if place.isdecimal() and len(place) < 6 else 99_999, code.strip(), label.strip(), str(number) in on)
        for number, (code, label, place) in enumerate(zip(codes, labels, places, strict=False))
        if code.strip() or label.strip()
    ]
    return [(code, label, active) for _, code, label, active in sorted(lines, key=lambda one: one[0])]


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add_dictionary_page(request: HttpRequest) -> HttpResponse:
    """Add an empty dictionary."""
    scope = scope_for(request)
    check_duty(scope, CONFIGURE)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            row = actions.add_dictionary(key=typed(request, "key").strip(), title=typed(request, "title"), scope=scope)
            return redirect("desk-form-dictionary", row.key)
        except (BadInput, Conflict) as wrong:
            fault = wrong
    return render(request, "desk/form_dictionary_new.html", {"fault": fault}, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def catalogue_page(request: HttpRequest) -> HttpResponse:
    """Show the catalogue of certificates by matter and category, for every clerk to look through."""
    scope = scope_for(request)
    asked = {name: typed(request, name)[:60] for name in ("q", "category", "matter", "medium")}
    rows = list(
        certificates_found(
            scope=scope,
            text=asked["q"],
            category=asked["category"],
            matter=asked["matter"],
            medium=asked["medium"],
            active=None if typed(request, "all") else True,
        )
    )
    dictionaries = dictionaries_now([CATEGORIES, MATTERS])
    categories, matters = (dictionaries[key].terms if key in dictionaries else () for key in (CATEGORIES, MATTERS))
    groups = []
    for matter in (*matters, None):
        held = [row for row in rows if (matter.code in row.matters if matter else not row.matters)]
        parts = [(one, [row for row in held if row.category == one.code]) for one in categories]
        parts = [(one, inner) for one, inner in parts if inner]
        if parts and (not asked["matter"] or (matter and matter.code == asked["matter"])):
            groups.append({"matter": matter.label if matter else "未分到事项", "parts": parts, "count": len(held)})
    context = {
        "groups": groups,
        "count": len(rows),
        "asked": asked,
        "all": typed(request, "all"),
        "categories": categories,
        "matters": matters,
        "media": Medium.choices,
        "rule": RULE,
        "may_edit": holds_citywide(scope, LIBRARY),
    }
    return render(request, "desk/form_certificates.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def certificate_page(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show a certificate with its versions and sample files; staff of the city change it, each change a new version."""
    scope = scope_for(request)
    row = certificate_row(code, scope=scope) if code else None
    value = certificate_value(row) if row else Certificate("", "", "")
    fault: CityError | None = None
    active = row.active if row else True
    if request.method == "POST":
        try:
            value, active = _certificate_typed(request, value), bool(typed(request, "active"))
            kept = actions.save_certificate(
                certificate=value,
                seen=_number(typed(request, "seen")),
                note=typed(request, "note"),
                active=active,
                domain=typed(request, "domain").strip().upper(),
                scope=scope,
            )
            said.success(request, f"已保存“{kept.row.name}”，现在是第 {kept.number} 版。")
            return redirect("desk-form-certificate", kept.row.code)
        except (BadInput, Conflict, NotFound) as wrong:
            fault = wrong
    dictionaries = dictionaries_now([CATEGORIES, MATTERS])
    versions = certificate_versions(row) if row else []
    context = {
        "row": row,
        "value": value,
        "active": active,
        "fault": fault,
        "rule": RULE,
        "versions": _evolution(versions),
        "categories": dictionaries[CATEGORIES].terms if CATEGORIES in dictionaries else (),
        "matters": [
            (one, one.code in value.matters) for one in (dictionaries[MATTERS].terms if MATTERS in dictionaries else ())
        ],
        "types": [(one.value, one.label, one.value in value.types) for one in FileType],
        "media": Medium.choices,
        "megabytes": f"{value.most_bytes / 1_000_000:g}",
        "changes": [(name, words, name in value.changes) for name, words in CHANGES.items()],
        "may_edit": holds_citywide(scope, LIBRARY),
        "category": next((one.label for one in dictionaries[CATEGORIES].terms if one.code == value.category), "")
        if CATEGORIES in dictionaries
        else "",
    }
    return render(request, "desk/form_certificate.html", context, status=status_of(fault) if fault else 200)


_WORDS: Final = {
    "name": "名称",
    "description": "说明",
    "category": "分类",
    "least": "至少",
    "most": "最多",
    "types": "格式",
    "most_bytes": "单个上限",
    "valid_months": "有效月数",
    "medium": "形式",
    "issuer": "出具单位",
    "matters": "事项",
    "sensitive": "敏感",
    "changes": "区级可调",
    "code": "编码",
}


def _evolution(versions: list[Any]) -> list[dict[str, Any]]:
    """Return the versions with what each changed from the one before it."""
    lines = []
    for row, before in zip(versions, [*versions[1:], None], strict=False):
        old = before.content if before else {}
        changed = [
            f"{_WORDS.get(name, name)}：{_plain(old.get(name))} → {_plain(row.content.get(name))}"
            for name in dict.fromkeys((*old, *row.content))
            if before and old.get(name) != row.content.get(name)
        ]
        facts = [(_WORDS.get(name, name), _plain(value)) for name, value in row.content.items()]
        lines.append({"row": row, "changed": changed, "facts": facts})
    return lines


def _plain(value: Any) -> str:
    if value in (None, "", []):
        return "无"
    return "、".join(map(str, value)) if isinstance(value, list) else "是" if value is True else str(value)


def _certificate_typed(request: HttpRequest, known: Certificate) -> Certificate:
    months, megabytes = typed(request, "valid_months").strip(), typed(request, "megabytes").strip()
    try:
        size = round(float(megabytes or 20) * 1_000_000)
        least, most = int(typed(request, "least") or 0), int(typed(request, "most") or 1)
        valid = int(months) if months else None
    except (ValueError, OverflowError):
        raise BadInput("certificate_numbers", "数量、月数和大小要填数字。") from None
    types, chosen = request.POST.getlist("types"), request.POST.getlist("changes")
    return replace(
        known,
        name=typed(request, "name").strip(),
        category=typed(request, "category"),
        description=typed(request, "description").strip(),
        least=least,
        most=most,
        types=tuple(one.value for one in FileType if one.value in types),
        most_bytes=size,
        valid_months=valid,
        medium=typed(request, "medium"),
        issuer=typed(request, "issuer").strip(),
        matters=tuple(request.POST.getlist("matters")),
        sensitive=bool(typed(request, "sensitive")),
        changes=cast(tuple[Change, ...], tuple(one for one in ALL_CHANGES if one in chosen)),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
