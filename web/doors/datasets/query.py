"""A dataset out of an existing layer: conditions, how many fulfil them, made once or kept as a view and refreshed."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, Forbidden
from layers.datasets.deriving import FARTHEST_M, OPERATORS, Recipe, count, derive, recipe_of, refresh, weigh_refresh
from layers.datasets.editing import Sent
from layers.datasets.models import Audience
from layers.datasets.queries import EDIT, dataset_seen, regions_to_own
from layers.registry import layer, visible_layers
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed

CONDITIONS: Final = 3


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def query_page(request: HttpRequest) -> HttpResponse:
    """Ask out of which layer and by which conditions; on POST make the dataset.

    The act ``count`` only says how many rows fulfil them.
    """
    scope = scope_for(request)
    check_duty(scope, EDIT)
    fault: CityError | None = None
    found = None
    if typed(request, "act") == "count":
        try:
            found = count(_recipe(request), scope=scope)
        except CityError as refused:
            fault = refused
    elif request.method == "POST":
        try:
            dataset, act = derive(
                _recipe(request), title=typed(request, "title"), region=typed(request, "owner"),
                audience=typed(request, "audience", Audience.EVERYONE), key=key_typed(request), scope=scope,
            )  # fmt: skip
            messages.success(request, f"已生成“{dataset.title}”，{act.added if act else 0:,} 个要素。看过以后再发布。")
            return redirect("desk-dataset", dataset.key)
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    wanted = typed(request, "layer")
    spec = layer(wanted, scope=scope) if wanted else None
    context = {
        "layers": sorted(visible_layers(scope=scope), key=lambda one: one.title), "spec": spec, "found": found, "fault": fault,
        "operators": OPERATORS, "lines": _lines(request), "regions": regions_to_own(scope=scope), "key": new_id(),
        "farthest": FARTHEST_M, "said": _said(request), "audiences": Audience.choices,
    }  # fmt: skip
    return render(request, "desk/datasets/query.html", context, status=status_of(fault) if fault else 200)


def _said(request: HttpRequest) -> dict[str, str]:
    names = ("title", "owner", "audience", "region", "near", "near_m", "shape", "kept")
    return {name: typed(request, name) for name in names}


def _lines(request: HttpRequest) -> list[dict[str, str]]:
    return [
        {"attribute": typed(request, f"a{at}"), "operator": typed(request, f"o{at}", "="), "value": typed(request, f"v{at}")}
        for at in range(CONDITIONS)
    ]  # fmt: skip


def _recipe(request: HttpRequest) -> Recipe:
    conditions = tuple(
        (line["attribute"], line["operator"], line["value"]) for line in _lines(request) if line["attribute"]
    )
    metres = typed(request, "near_m").strip()
    try:
        near_m = float(metres[:10]) if metres else 0.0
    except ValueError:
        raise BadInput("near_metres", "距离要填数字。", fields={"near_m": "请填数字。"}) from None
    return Recipe(
        layer=typed(request, "layer"), conditions=conditions, region=typed(request, "region"),
        shape=typed(request, "shape").strip(), near=typed(request, "near"), near_m=near_m, kept=bool(typed(request, "kept")),
    )  # fmt: skip


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def refresh_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show what has changed in the layer that a dataset was made of; on POST take it over as one act."""
    scope = scope_for(request)
    dataset = dataset_seen(key, scope=scope, duty=EDIT)
    recipe = recipe_of(dataset.recipe)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            act = refresh(Sent(key, number_typed(request, "seen"), key_typed(request), scope))
            messages.success(request, f"已{act.said}。可以撤销。" if act else "和来源一样，没有改动。")
            return redirect("desk-dataset", key)
        except CityError as refused:
            fault = refused
            dataset.refresh_from_db()
    weighed = weigh_refresh(key, scope=scope)
    context: dict[str, Any] = {
        "dataset": dataset, "weighed": weighed, "key": new_id(), "fault": fault, "spec": layer(recipe.layer, scope=scope),
        "recipe": recipe,
    }  # fmt: skip
    return render(request, "desk/datasets/refresh.html", context, status=status_of(fault) if fault else 200)
