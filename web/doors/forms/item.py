"""One item of a draft form: its words, checks and limits, and the conditions that staff click together."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, Conflict, NotFound
from services.access.queries import scope_for
from services.kernel.documents.spec import FileType
from services.kernel.expressions import OPERATORS
from services.kernel.expressions.conditions import FITTING
from services.kernel.forms.answering.linking import choices_of, kinds_of, labels_of
from services.kernel.forms.composing import arranging
from services.kernel.forms.library.queries import library_now
from services.kernel.forms.models import FormVersion
from services.kernel.forms.spec import CHANGES, Form
from services.kernel.forms.versions import actions
from services.kernel.forms.versions.queries import (
    city_region,
    composed_of,
    version_kept,
)
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.forms.design import label_of, number_of

CHECKS: Final = (
    ("shortest", "最少字数、项数或行数"),
    ("longest", "最多字数、项数或行数"),
    ("least", "不小于"),
    ("most", "不大于"),
    ("earliest", "不早于（2026-09-01 或 today）"),
    ("latest", "不晚于（2026-09-01 或 today）"),
    ("pattern", "格式规则（正则）"),
    ("pattern_says", "格式不对时的提示"),
)
CLAUSES: Final = 3


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def item_page(request: HttpRequest, version_id: int, key: str) -> HttpResponse:
    """Change how a draft asks one item: words, whether it is required, checks, limits, when it appears, what it offers."""
    scope = scope_for(request)
    row = version_kept(version_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            composition = arranging.change_item(row.composition, key, _changes(request, row, key))
            actions.save_draft(
                version_id=row.pk, composition=composition, seen=number_of(typed(request, "seen")), scope=scope
            )
            said.success(request, "已保存到草稿。")
            return redirect(f"{reverse('desk-form-version', args=[row.pk])}#i-{key}")
        except (BadInput, Conflict) as wrong:
            fault, row = wrong, version_kept(version_id, scope=scope)
    composed = composed_of(row)
    item = next((one for one in composed.form.items() if one.key == key), None)
    raw = arranging.item_of(row.composition, key)
    library = library_now()
    city = library.fields.get(key) or library.certificates.get(key)
    if city is None:
        raise NotFound("item_gone", "这一项已停用，请从表单里去掉它。")
    context = {
        "row": row,
        "key": key,
        "raw": raw,
        "item": item,
        "city": city,
        "is_paper": key in library.certificates,
        "fault": fault,
        "label": label_of(item) if item else key,
        "checks": [(name, words, (raw.get("checks") or {}).get(name, "")) for name, words in checks_for(city)],
        "city_checks": _city_checks(city),
        "fields": _readable(composed.form, key),
        "operators": OPERATORS,
        "shown": _clauses(raw.get("shown"), composed.form),
        "required": _clauses(raw.get("required"), composed.form),
        "terms": _terms(composed.form, library, city, raw),
        "offers": [*(raw.get("offers") or []), {}][:CLAUSES],
        "offer_clauses": [
            _clauses(one.get("when"), composed.form)["lines"][0] for one in [*(raw.get("offers") or []), {}][:CLAUSES]
        ],
        "changes": [CHANGES[one] for one in city.changes],
        "city_form": row.region_id == city_region().region_id,
        "problems": [one for one in composed.problems if one.at == key],
        "types": [(each.value, each.label) for each in FileType],
    }
    return render(request, "desk/form_item.html", context, status=status_of(fault) if fault else 200)


def _changes(request: HttpRequest, row: FormVersion, key: str) -> dict[str, Any]:
    form = composed_of(row).form
    always = {"yes": True, "no": False}.get(typed(request, "always"))
    changes: dict[str, Any] = {
        "label": typed(request, "label").strip(),
        "always": always,
        "help": typed(request, "help") if typed(request, "own_help") else None,
        "shown": _condition(request, "shown", form),
        "required": _condition(request, "required", form),
    }
    if typed(request, "paper"):
        for name in ("least", "most"):
            changes[name] = typed(request, name).strip()
        megabytes = typed(request, "megabytes").strip()
        changes["most_bytes"] = round(float(megabytes) * 1_000_000) if _is_number(megabytes) else None
        changes["types"] = request.POST.getlist("types")
    else:
        changes["checks"] = {
            name: typed(request, f"check-{name}").strip()
            for name, _ in CHECKS
            if typed(request, f"check-{name}").strip()
        }
        changes["codes"] = request.POST.getlist("codes")
        changes["offers"] = _offers(request, form)
    if row.region_id == city_region().region_id:
        changes["fixed"] = bool(typed(request, "fixed")) or None
    return changes


def _condition(request: HttpRequest, name: str, form: Form) -> dict[str, Any] | None:
    """Return the condition that was clicked together: up to three clauses, all or any of which must hold."""
    clauses = [one for number in range(CLAUSES) if (one := _clause(request, f"{name}-{number}", form))]
    if not clauses:
        return None
    return clauses[0] if len(clauses) == 1 else {"any" if typed(request, f"{name}-joint") == "any" else "all": clauses}


def _clause(request: HttpRequest, name: str, form: Form) -> dict[str, Any] | None:
    field, operator = typed(request, f"{name}-field"), typed(request, f"{name}-operator")
    if not field:
        return None
    kind = kinds_of(form).get(field)
    if kind is None or operator not in FITTING[kind]:
        label = labels_of(form).get(field, field)
        raise BadInput("operator_unfit", f"“{label}”不能用“{OPERATORS.get(operator, operator)}”判断，请换一种。")
    value: Any = typed(request, f"{name}-value").strip()
    if operator in ("filled", "empty"):
        return {"field": field, "operator": operator}
    parts = [one.strip() for one in value.replace("，", ",").replace("、", ",").split(",") if one.strip()]
    values = [_value_of(form, field, kind, one) for one in parts]
    if not values:
        raise BadInput("condition_value", f"请写出“{labels_of(form).get(field, field)}”要满足的值。")
    return {
        "field": field,
        "operator": operator,
        "value": values if operator in ("in", "not_in", "between") else values[0],
    }


def _value_of(form: Form, field: str, kind: str, text: str) -> Any:
    """Return what was typed as a condition reads it: a label stands for its code, 是 and 否 for flags."""
    if kind == "flag":
        return text in ("是", "1", "true")
    question = form.question(field)
    if question and question.field.dictionary:
        dictionary = form.dictionary(question.field.dictionary)
        return next((term.code for term in dictionary.terms if text in (term.label, term.code)), text)
    return text


def _offers(request: HttpRequest, form: Form) -> list[dict[str, Any]]:
    found = []
    for number in range(CLAUSES):
        when = _clause(request, f"offer{number}-0", form)
        if when:
            found.append({"when": when, "codes": request.POST.getlist(f"offer{number}-codes")})
    return found


def _clauses(data: Any, form: Form) -> dict[str, Any]:
    """Return a condition as the page edits it: up to three clauses and how they are joined."""
    labels = choices_of(form)
    joint = "any" if isinstance(data, dict) and "any" in data else "all"
    several = (data or {}).get("all") or (data or {}).get("any") or ([data] if data else [])
    lines = [
        {
            "field": one.get("field", ""),
            "operator": one.get("operator", "is"),
            "value": _typed_again(one.get("value"), labels.get(one.get("field", ""), {})),
        }
        for one in several
        if "field" in one
    ]
    return {"joint": joint, "lines": (lines + [{"field": "", "operator": "is", "value": ""}] * CLAUSES)[:CLAUSES]}


def _typed_again(value: Any, labels: dict[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(_typed_again(one, labels) for one in value)
    return (
        ""
        if value is None
        else "是"
        if value is True
        else "否"
        if value is False
        else labels.get(str(value), str(value))
    )


def _readable(form: Form, key: str) -> list[tuple[str, str]]:
    return [(name, label) for name, label in labels_of(form).items() if name.partition(".")[0] != key]


def _terms(form: Form, library: Any, city: Any, raw: dict[str, Any]) -> list[dict[str, Any]]:
    dictionary = library.dictionaries.get(getattr(city, "dictionary", ""))
    if dictionary is None:
        return []
    offers = [*(raw.get("offers") or []), {}][:CLAUSES]
    return [
        {
            "code": term.code,
            "label": term.label,
            "on": term.code in (raw.get("codes") or ()),
            "offers": [term.code in one.get("codes", ()) for one in offers],
        }
        for term in dictionary.terms
        if term.active
    ]


def checks_for(city: Any) -> list[tuple[str, str]]:
    """Return the checks that mean something for the kind of a field."""
    texts = ("shortest", "longest", "pattern", "pattern_says")
    fitting = {
        "integer": ("least", "most"),
        "decimal": ("least", "most"),
        "day": ("earliest", "latest"),
        "month": ("earliest", "latest"),
        "choices": ("shortest", "longest"),
        "group": ("shortest", "longest"),
        "choice": (),
        "yes_no": (),
        "region": (),
        "place": (),
        "identity": ("earliest", "latest", "pattern", "pattern_says"),
    }
    names = fitting.get(getattr(city, "kind", ""), texts)
    return [(name, words) for name, words in CHECKS if name in names]


def _city_checks(city: Any) -> list[tuple[str, Any]]:
    checks = getattr(city, "checks", None)
    return [(words, getattr(checks, name)) for name, words in CHECKS if checks and getattr(checks, name)]


def _is_number(text: str) -> bool:
    return bool(text) and text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) < 8
