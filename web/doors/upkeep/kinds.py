"""Where staff keep the kinds of institutions: their words, icons and order, what places of added ones say, their end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import CityError, Forbidden
from geo.scope import Scope
from services.access.queries import holds_citywide, scope_for
from services.facilities.kinds import GROUPS, Attribute, all_kinds, kind_of
from services.facilities.kinds.actions import add_kind, change_kind, delete_kind, order_kind, restore_kind, retire_kind
from services.facilities.kinds.drafts import (
    LONGEST_LABEL,
    LONGEST_NAME,
    LONGEST_UNIT,
    TYPE_NAMES,
    AttributeDraft,
    KindDraft,
)
from services.facilities.kinds.icons import ICONS
from services.facilities.kinds.queries import DUTY, KeptKind, keeping_districts, kept_kind, kept_kinds
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed

BLANK_LINES: Final = 3
_BETWEEN: Final = re.compile(r"[、，,;；\n]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form's attributes: what it says, and whether it is taken away."""

    said: AttributeDraft
    drop: bool = False

    @property
    def choices(self) -> str:
        """Return the words of a choice as they are typed."""
        return "、".join(self.said.choices)

    @property
    def blank(self) -> bool:
        """Say whether nothing was typed into a new line."""
        return not (self.said.key or self.said.label.strip())


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def list_page(request: HttpRequest) -> HttpResponse:
    """Show all kinds by group; move one up or down."""
    scope = scope_for(request)
    fault: CityError | None = None
    if request.method == "POST":
        act, _, key = typed(request, "act").partition(":")
        try:
            order_kind(key=key, by=-1 if act == "up" else 1, seen=typed(request, "seen"), scope=scope)
            return redirect("/desk/kinds#" + kind_of(key).group)
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    context = {
        "groups": kept_kinds(scope=scope),
        "may_order": holds_citywide(scope, DUTY),
        "fault": fault,
    }
    return render(request, "desk/kinds.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Add a kind."""
    scope = scope_for(request)
    districts = keeping_districts(scope=scope)
    draft, fault = KindDraft("", "map-pin"), None
    lines: list[Line] = []
    group, district = typed(request, "group", "tourism"), typed(request, "district")
    if request.method == "POST":
        draft, lines = _typed(request)
        try:
            district = district or (districts[0].code if len(districts) == 1 else "")
            row = add_kind(group=group, draft=draft, district=district, scope=scope)
            messages.success(request, f"已新增“{row.name}”，现在就能登记这类机构，居民也能按它查找。")
            return redirect("desk-kinds")
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    context = {
        **_form(draft, lines), "groups": GROUPS.items(), "group": group, "districts": districts, "district": district,
        "fault": fault,
    }  # fmt: skip
    return render(request, "desk/kind.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a kind; change, retire, restore or delete it."""
    scope = scope_for(request)
    kept = kept_kind(key, scope=scope)
    draft, lines = _draft_of(kept), [Line(one) for one in _draft_of(kept).attributes]
    fault: CityError | None = None
    if request.method == "POST":
        act = typed(request, "act", "save")
        if act == "save":
            draft, lines = _typed(request)
        try:
            messages.success(request, _done(request, act, key, draft, scope))
            return redirect("desk-kinds") if act == "delete" else redirect("desk-kind", key)
        except Forbidden:
            raise
        except CityError as refused:
            fault, kept = refused, kept_kind(key, scope=scope)
    others = [kind for kind in all_kinds() if kind.key != key]
    context = {
        **_form(draft, lines), "kept": kept, "group": kept.row.group, "group_name": GROUPS.get(kept.row.group, ""),
        "others": sorted(others, key=lambda kind: kind.group != kept.row.group), "fault": fault,
    }  # fmt: skip
    return render(request, "desk/kind.html", context, status=status_of(fault) if fault else 200)


def _done(request: HttpRequest, act: str, key: str, draft: KindDraft, scope: Scope) -> str:
    """Do what a button of the page says, and return the sentence that tells it."""
    revision = number_typed(request, "revision")
    match act:
        case "retire":
            row = retire_kind(key=key, revision=revision, scope=scope)
            return f"已停用“{row.name}”，查找和登记里不再出现；原有的机构还在。"
        case "restore":
            row = restore_kind(key=key, revision=revision, scope=scope)
            return f"已恢复“{row.name}”，现在又能查找和登记。"
        case "delete":
            into, name = typed(request, "into"), kind_of(key).name
            moved = delete_kind(key=key, revision=revision, into=into, scope=scope)
            told = f"，{moved} 家机构已移到“{kind_of(into).name}”" if moved else ""
            return f"已删除“{name}”{told}。"
        case _:
            row = change_kind(key=key, draft=draft, revision=revision, scope=scope)
            return f"已保存“{row.name}”，地图、查找和登记马上按它显示。"


def _draft_of(kept: KeptKind) -> KindDraft:
    return KindDraft(kept.row.name, kept.row.icon, tuple(map(_line_of, kept.attributes)))


def _line_of(attribute: Attribute) -> AttributeDraft:
    words = tuple(label for _, label in attribute.choices)
    return AttributeDraft(
        attribute.label, attribute.type, attribute.unit, words, attribute.filterable, key=attribute.key
    )


def _typed(request: HttpRequest) -> tuple[KindDraft, list[Line]]:
    """Return what was typed: the kind without the lines taken away, and all lines as they stood."""
    columns = [
        [text.replace("\x00", "") for text in request.POST.getlist(f"a.{name}")]
        for name in ("key", "label", "type", "unit", "choices")
    ]
    ticked, dropped = set(request.POST.getlist("a.filterable")), set(request.POST.getlist("a.drop"))
    lines = []
    for at, (key, label, kind, unit, choices) in enumerate(zip(*columns, strict=False)):
        words = tuple(word for word in _BETWEEN.split(choices[:2000]) if word.strip())
        said = AttributeDraft(label[:200], kind[:20], unit[:40], words, str(at) in ticked, key[:60])
        lines.append(Line(said, str(at) in dropped))
    lines = [line for line in lines if not line.blank]
    kept = tuple(line.said for line in lines if not line.drop)
    return KindDraft(typed(request, "name"), typed(request, "icon"), kept), lines


def _form(draft: KindDraft, lines: list[Line]) -> dict[str, object]:
    return {
        "draft": draft,
        "lines": [*lines, *(Line(AttributeDraft("")) for _ in range(BLANK_LINES))],
        "icons": ICONS.items(),
        "types": TYPE_NAMES.items(),
        "longest": {"name": LONGEST_NAME, "label": LONGEST_LABEL, "unit": LONGEST_UNIT},
    }


ROUTES = [
    path("desk/kinds", list_page, name="desk-kinds"),
    path("desk/kinds/new", new_page, name="desk-kind-new"),
    path("desk/kinds/<slug:key>", one_page, name="desk-kind"),
]
