"""The rules of an edition: a list to search and filter, one edited in place, many deleted at once, an address tried out."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict
from services.access.queries import scope_for
from services.catchments.answering import REASONS, Answer, answer
from services.catchments.book import Goal, Taken
from services.catchments.changes import rule_told
from services.catchments.editing import BY_DOOR, RuleSaid, delete_rules, ground_for, said_by, save_rule
from services.catchments.entries import CHOICES, LONGEST_COMMUNITY, MODES, RULED, Mode
from services.catchments.ground import Ground
from services.catchments.models import CatchmentEdition, MatchRule
from services.catchments.queries import edition_seen, rules_of
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.parts import frame_of, modes_counted, rule_shown

A_PAGE: Final = 50
READ: Final = {
    "district": "区", "street": "街镇", "committee": "居委", "community": "小区", "road": "路", "lane": "弄", "sub_lane": "支弄",
    "number": "号", "suffix": "附号", "building": "幢", "unit": "单元", "floor": "层", "room": "室",
}  # fmt: skip


@never_cache
@login_required
@require_safe
def rules_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """List the rules of an edition; ``edit`` opens one in its row, ``add`` a new one of a mode."""
    return _rules(request, edition_id)


@login_required
@require_POST
def save(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Add a rule or change one; what was typed stays on the page when it cannot be saved."""
    same = _uuids([typed(request, "same")])
    try:
        change = save_rule(
            edition_id=edition_id, same=same[0] if same else None, said=_said(request),
            seen=number_typed(request, "seen"), key=key_typed(request), scope=scope_for(request),
        )  # fmt: skip
    except (BadInput, Conflict) as fault:
        return _rules(request, edition_id, fault)
    said.success(request, f"已{change.said}。" if change else "内容没有变化。")
    kept = next((key.removeprefix("rule:") for key in (change.after if change else ())), typed(request, "same"))
    return redirect(f"{_list_at(request, edition_id)}#r-{kept}")


@login_required
@require_POST
def delete(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Delete the chosen rules."""
    try:
        change = delete_rules(
            edition_id=edition_id, sames=_uuids(request.POST.getlist("same")), seen=number_typed(request, "seen"),
            key=key_typed(request), scope=scope_for(request),
        )  # fmt: skip
    except (BadInput, Conflict) as fault:
        return _rules(request, edition_id, fault)
    said.success(request, f"已{change.said}。删错了可以点“撤销”。" if change else "内容没有变化。")
    return redirect(_list_at(request, edition_id))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def try_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Ask an edition, draft or not, where an address belongs, and show the path; the address is posted and never kept."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    address, found, fault = typed(request, "address").strip()[:200], None, None
    if request.method == "POST":
        try:
            found = answer(address, entry=edition.entry, year=edition.year, scope=scope, edition=edition)
        except BadInput as wrong:
            fault = wrong
    context = {"edition": edition, "address": address, "fault": fault, "answer": _answered(found, edition)}
    if request.headers.get("X-Fragment") == "try":
        return render(request, "plan/tried.html", context, status=status_of(fault) if fault else 200)
    context |= frame_of(edition, scope=scope, tab="try")
    return render(request, "plan/try.html", context, status=status_of(fault) if fault else 200)


def _answered(found: Answer | None, edition: CatchmentEdition) -> dict[str, Any] | None:
    if found is None:
        return None
    path = found.match.path if found.match else ()
    ground = ground_for(edition)
    rules = {
        rule.pk: rule for rule in MatchRule.objects.filter(pk__in=[line for taken in path for line in taken.lines])
    }
    done = {taken.mode for taken in path}
    steps = [_step(taken, ground, rules, found) for taken in path]
    return {
        "found": found, "reason": REASONS.get(found.reason, found.reason), "steps": steps,
        "untried": [MODES[step] for step in edition.steps if step not in done],  # type: ignore[index]
        "tokens": [(READ.get(token.kind, ""), token.written) for token in found.tokens],
        "choices": [CHOICES[choice] for choice in found.choices],
    }  # fmt: skip


def _step(taken: Taken, ground: Ground, rules: dict[int, MatchRule], found: Answer) -> dict[str, Any]:
    decided = found.match is not None and found.match.decided is taken
    return {
        "mode": MODES[taken.mode], "decided": decided, "doubt": taken.doubt, "said": taken.said,
        "goals": [_goal(goal, ground) for goal in taken.goals or taken.possible],
        "rules": [rules[line] for line in taken.lines if line in rules and taken.mode != "area"][:4],
    }  # fmt: skip


def _goal(goal: Goal, ground: Ground) -> str:
    return CHOICES[goal[1]] if goal[0] == "choice" else ground.site_name(goal[1]) or f"园所 {goal[1]}"


def _rules(request: HttpRequest, edition_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    frame, ground = frame_of(edition, scope=scope, tab="rules"), ground_for(edition)
    mode, text = typed(request, "in"), typed(request, "q").strip()[:100]
    wanted = _wanted(edition, ground, mode, text)
    page = Paginator(wanted, A_PAGE).get_page(typed(request, "page") or _page_of(wanted, typed(request, "edit")))
    form = _form(request, edition, fault) if frame["may_edit"] else None
    query = {
        key: value
        for key, value in {"in": mode, "q": text, "page": page.number if page.number > 1 else ""}.items()
        if value
    }
    context = frame | {
        "page": page, "rows": [rule_shown(rule, ground) for rule in page], "modes": modes_counted(edition), "only": mode,
        "q": text, "query": urlencode(query), "query_now": query, "form": form, "fault": fault, "ground": ground,
        "fields": fault.detail.get("fields", {}) if fault else {}, "sites": ground.open_sites(), "longest": LONGEST_COMMUNITY,
        "places": _places(ground) if form else [], "chosen": set(request.POST.getlist("same")) if fault else set(),
    }  # fmt: skip
    return render(request, "plan/rules.html", context, status=status_of(fault) if fault else 200)


def _wanted(edition: CatchmentEdition, ground: Ground, mode: str, text: str) -> QuerySet[MatchRule]:
    rows = rules_of(edition)
    if mode in RULED:
        rows = rows.filter(mode=mode)
    if text:
        streets = [region for region, name in ground.streets.items() if text in name]
        committees = [region for region, (name, _) in ground.committees.items() if text in name]
        rows = rows.filter(
            Q(written__icontains=text) | Q(community__icontains=text) | Q(note__icontains=text)
            | Q(target__name__icontains=text) | Q(street__in=streets) | Q(committee__in=committees)
        )  # fmt: skip
    return rows


def _page_of(wanted: QuerySet[MatchRule], same: str) -> int:
    """Return the page on which a rule stands; the first for none."""
    rule = wanted.filter(same__in=_uuids([same])).first()
    if rule is None:
        return 1
    return wanted.filter(Q(line__lt=rule.line) | Q(line=rule.line, pk__lt=rule.pk)).count() // A_PAGE + 1


def _form(request: HttpRequest, edition: CatchmentEdition, fault: CityError | None) -> dict[str, Any] | None:
    """Return the rule that is being written: as it was posted, else the one ``edit`` names, else a blank one of ``add``."""
    if fault is not None and "mode" in request.POST:
        said_now, same = _said(request), typed(request, "same")
        if fault.code == "rule_gone":
            same = ""
        return {"said": said_now, "same": same, "by_door": said_now.mode in BY_DOOR, "mode": _words(said_now.mode)}
    if editing := _uuids([typed(request, "edit")]):
        rule = rules_of(edition).filter(same=editing[0]).first()
        if rule is not None:
            one = said_by(rule_told(rule))
            return {"said": one, "same": str(rule.same), "by_door": one.mode in BY_DOOR, "mode": _words(one.mode)}
    mode = typed(request, "add")
    if mode in RULED:
        blank = RuleSaid(mode)
        return {"said": blank, "same": "", "by_door": mode in BY_DOOR, "mode": _words(mode)}
    return None


def _words(mode: str) -> str:
    return MODES.get(cast(Mode, mode), mode)


def _said(request: HttpRequest) -> RuleSaid:
    goal = typed(request, "target")
    committee = number_typed(request, "committee") or None
    return RuleSaid(
        cast(Mode, typed(request, "mode")[:10]),
        number_typed(request, "street") or None,
        committee,
        typed(request, "community")[:200],
        typed(request, "written"),
        int(goal) if goal.isascii() and goal.isdigit() and len(goal) < 19 else None,
        goal if goal in CHOICES else "",
        typed(request, "note"),
    )


def _places(ground: Ground) -> list[tuple[int, str, list[tuple[int, str]]]]:
    """Return the streets with their committees, by name."""
    by_street: dict[int, list[tuple[int, str]]] = {region: [] for region in ground.streets}
    for region, (name, street) in ground.committees.items():
        by_street.setdefault(street, []).append((region, name))
    found = [
        (region, ground.streets.get(region, ""), sorted(rows, key=lambda row: row[1]))
        for region, rows in by_street.items()
    ]
    return sorted(found, key=lambda row: row[1])


def _list_at(request: HttpRequest, edition_id: UUID) -> str:
    query = {key: value for key in ("in", "q", "page") if (value := typed(request, key))}
    at = reverse("plan-rules", args=[edition_id])
    return f"{at}?{urlencode(query)}" if query else at


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
