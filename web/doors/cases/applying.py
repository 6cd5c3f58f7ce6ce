"""Applying for a matter: where and in whose name, then its form; or a short page of facts for a matter that has none."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.regions.queries import versions_of
from geo.scope import Scope
from services.access.models import Organisation
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.kernel.forms.begun import Begun, begun_from
from services.kernel.forms.models import Submission
from services.kernel.forms.registry import form_named
from services.kernel.workflow import actions
from services.kernel.workflow.applying import begin_application, begun_at
from services.kernel.workflow.models import Case
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.spec import Fact, MatterSpec
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import number_typed, typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest, matter: str) -> HttpResponse:
    """Apply for a matter: by oneself, or at the window by staff for somebody."""
    spec, scope = matter_named(matter), scope_for(request)
    window = typed(request, "at") == "window"
    if spec.page:
        raise NotFound("matter_elsewhere", f"“{spec.title}”在它自己的页面上提交，不能从这里办理。")
    if window and not (spec.opens and scope.holds(spec.opens)):
        raise Forbidden("duty_missing", "您的账号没有窗口受理这项事项的权限。")
    if not window and not spec.applicants:
        raise NotFound("matter_unknown", "这个事项不在网上受理。")
    fault = None
    begun = _begun(request, spec, scope)
    if request.method == "POST":
        try:
            if spec.form:
                return redirect("form-fill", _begin(request, spec, scope, window, begun).pk)
            case = _open(request, spec, scope, window)
        except CityError as wrong:
            fault = wrong
        else:
            said.success(request, f"已提交，办件编号 {case.number}。")
            return redirect("desk-case" if window else "my-case", case.uid)
    form = form_named(spec.form) if spec.form else None
    context = {
        "entries": form.entries if form and len(form.entries) > 1 else (),
        "matter": spec,
        "window": window,
        "regions": _places(scope, window),
        "organisations": Organisation.objects.filter(pk__in=scope.organisations, active=True).order_by("name"),
        "sources": [(each.key, each.name) for each in spec.sources],
        "facts": [] if form else [(fact, typed(request, f"fact-{fact.key}")) for fact in spec.facts],
        "form": {
            name: typed(request, name)
            for name in ("title", "region", "source", "source_number", "organisation", "entry")
        }
        | ({"region": begun.street} if begun and not typed(request, "region") else {}),
        "key": typed(request, "key") if fault else new_id(),
        "begun": begun,
        "from": typed(request, "from"),
        "place": number_typed(request, "place"),
        "fault": fault,
    }
    page = "desk/case_new.html" if window else "my/case_new.html"
    return render(request, page, context, status=status_of(fault) if fault else 200)


def _begun(request: HttpRequest, spec: MatterSpec, scope: Scope) -> Begun | None:
    """Return what is known already: of the row of a ledger, or of the place somebody applies at."""
    if typed(request, "from"):
        return begun_from(typed(request, "from")[:60], spec.form, scope=scope)
    place = number_typed(request, "place")
    return begun_at(place, spec, scope=scope) if place else None


def _begin(request: HttpRequest, spec: MatterSpec, scope: Scope, window: bool, begun: Begun | None) -> Submission:
    try:
        mark = UUID(typed(request, "key"))
    except ValueError:
        raise BadInput("key_missing", "页面已过期，请刷新后再办一次。") from None
    return begin_application(
        matter=spec.key,
        region=typed(request, "region")[:20],
        user=user_of(request),
        scope=scope,
        id=mark,
        entry=typed(request, "entry")[:40],
        source=_source(request, window),
        source_number=typed(request, "source_number") if window else "",
        organisation_id=number_typed(request, "organisation") or None,
        begun=begun,
    )


def _source(request: HttpRequest, window: bool) -> str:
    source = typed(request, "source", "window")[:40] if window else "online"
    return source if source != "online" or not window else "window"


def _open(request: HttpRequest, spec: MatterSpec, scope: Scope, window: bool) -> Case:
    return actions.open_case(
        matter=spec.key,
        region=typed(request, "region")[:20],
        title=typed(request, "title"),
        user=user_of(request),
        scope=scope,
        key=typed(request, "key")[:80],
        source=_source(request, window),
        source_number=typed(request, "source_number") if window else "",
        facts={fact.key: _fact(fact, typed(request, f"fact-{fact.key}")) for fact in spec.facts},
        organisation_id=number_typed(request, "organisation") or None,
    )


def _fact(fact: Fact, text: str) -> object:
    """Return what was typed for a fact. Raises ``BadInput``."""
    text = text.strip()[:200]
    if not text:
        return None
    if fact.kind == "flag":
        return text == "1"
    if fact.kind == "number":
        plain = text.replace(".", "", 1)
        if not (plain.isascii() and plain.isdigit() and len(text) <= 12):
            raise BadInput("fact_odd", f"“{fact.label}”要写成 120 或 12.5 这样的数字。")
        return float(text) if "." in text else int(text)
    if fact.choices and text not in {each.key for each in fact.choices}:
        raise BadInput("fact_odd", f"“{fact.label}”请从列表里选。")
    return text


def _places(scope: Scope, window: bool) -> list[tuple[str, str, str]]:
    """Return the streets one may choose: code, name, and district."""
    regions = list(versions_of(scope=Scope.public()).filter(level__in=("district", "street")))
    names = {each.region_id: each.name for each in regions}
    return [
        (each.code, each.name, names.get(each.parent_id or 0, ""))
        for each in regions
        if each.level == "street" and (not window or scope.covers_path(each.path))
    ]
