"""Where the city's managers see and set what the map draws before anybody asks, and let it be drawn now."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from shapely.geometry import mapping

from geo.errors import BadInput, CityError
from geo.regions.queries import versions_of
from geo.scope import Scope
from layers.registry import layer
from services.access.queries import scope_for
from services.facilities.kinds import GROUPS, spoken_kinds
from services.facilities.preloading import actions, archives, hits, lists, queries
from services.facilities.preloading.actions import LEAST_ZOOM, MOST_ZOOM, Wanted
from services.facilities.preloading.models import Preload
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import number_typed, typed

RUNS: Final = 10
USUAL: Final = {"title": "养老一张图", "kinds": ["eldercare"], "from_zoom": 9, "to_zoom": 13}
"""What the page of a new one begins with: the map that people with the slowest telephones open."""


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List what is preloaded and how fresh it is."""
    scope = scope_for(request)
    rows = [_shown(each) for each in queries.standings(scope=scope)]
    context = {
        "rows": rows,
        "days": hits.DAYS,
        "lists": lists.list_standings(scope=scope),
        "archives": archives.archive_standings(scope=scope),
    }
    return render(request, "desk/preloads.html", context)


@never_cache
@login_required
@require_POST
def act_on_archive(request: HttpRequest, key: str) -> HttpResponse:
    """Let the file of a whole layer be made, stopped or deleted; pressed twice it happens once."""
    scope, act = scope_for(request), typed(request, "act")
    title = layer(key).title
    if act == "make":
        archives.start_archive(key=key, scope=scope)
        said.success(request, f"正在制作“{title}”的整层瓦片，做好以前旧的照常可用。")
    elif act == "stop":
        stopped = archives.stop_archive(key=key, scope=scope)
        said.success(request, "正在停下，原来的文件不变。" if stopped else "它已经做完了。")
    elif act == "delete":
        there = archives.delete_archive(key=key, scope=scope)
        said.success(request, f"已删除“{title}”的整层瓦片。" if there else "它已经被删除了。")
    else:
        raise BadInput("act_unknown", "没有这个操作，请从页面上的按钮进行。")
    return redirect("desk-preloads")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Set a new one."""
    scope = scope_for(request)
    fault = None
    if request.method == "POST":
        try:
            made = actions.save_preload(wanted=_wanted(request), scope=scope)
        except CityError as wrong:
            fault = wrong
        else:
            actions.run_preload(pk=made.pk, scope=scope)
            said.success(request, f"已设置“{made.title}”，现在开始预加载。")
            return redirect("desk-preload", made.pk)
    queries.standings(scope=scope)  # who may not see them may not see the form
    usual = USUAL | {"layers": list(queries.public_layers()), "region": "", "active": True}
    form = usual if fault is None else _typed(request)
    return _form(request, None, form, fault, scope)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, preload_id: int) -> HttpResponse:
    """Show one preload: how it stands, where it lies, its runs; take what is changed of it."""
    scope = scope_for(request)
    preload, fault = queries.preload_named(preload_id, scope=scope), None
    standing = _shown(queries.standing_of(preload))
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "desk/preload_progress.html", {"row": standing})
    if request.method == "POST":
        try:
            changed = actions.save_preload(
                wanted=_wanted(request), scope=scope, pk=preload_id, revision=number_typed(request, "revision")
            )
        except CityError as wrong:
            fault = wrong
        else:
            if changed.active:
                actions.run_preload(pk=preload_id, scope=scope)
            said.success(request, "已保存。" + ("现在按新的设置预加载。" if changed.active else "停用期间不再预加载。"))
            return redirect("desk-preload", preload_id)
    return _form(request, preload, _typed(request) if fault else _kept(preload), fault, scope, row=standing)


@never_cache
@login_required
@require_POST
def run(request: HttpRequest, preload_id: int) -> HttpResponse:
    """Preload now; asked for twice it runs once."""
    actions.run_preload(pk=preload_id, scope=scope_for(request))
    return redirect("desk-preload", preload_id)


@never_cache
@login_required
@require_POST
def stop(request: HttpRequest, preload_id: int) -> HttpResponse:
    """Stop the run that is at work; what it drew stays."""
    if actions.stop_run(pk=preload_id, scope=scope_for(request)):
        said.success(request, "正在停下，已经画好的会保留。")
    else:
        said.info(request, "它已经做完了。")
    return redirect("desk-preload", preload_id)


@never_cache
@login_required
@require_POST
def delete(request: HttpRequest, preload_id: int) -> HttpResponse:
    """Delete a preload."""
    gone = actions.delete_preload(pk=preload_id, scope=scope_for(request))
    said.success(request, f"已删除“{gone.title}”。地图照常能看，只是第一次打开会慢一些。")
    return redirect("desk-preloads")


def _form(
    request: HttpRequest,
    preload: Preload | None,
    form: dict[str, Any],
    fault: CityError | None,
    scope: Scope,
    **more: Any,
) -> HttpResponse:
    public = versions_of(scope=Scope.public())
    context = {
        "preload": preload,
        "form": form,
        "fault": fault,
        "layers": [(key, one.title) for key, one in queries.public_layers().items()],
        "groups": list(GROUPS.items()),
        "districts": list(public.filter(level="district").order_by("code").values_list("code", "name")),
        "zooms": range(LEAST_ZOOM, MOST_ZOOM + 1),
        **more,
    }
    if preload is not None:
        context |= {
            "days": hits.DAYS,
            "by_zoom": queries.tiles_by_zoom(preload),
            "runs": preload.runs.exclude(done_at=None)[:RUNS],
            "shape": {"type": "Feature", "properties": {}, "geometry": mapping(queries.area_of(preload.region_id))},
            **map_context(),
        }
    return render(request, "desk/preload.html", context, status=status_of(fault) if fault else 200)


def _wanted(request: HttpRequest) -> Wanted:
    form = _typed(request)
    return Wanted(
        title=form["title"], layers=form["layers"], kinds=form["kinds"], region=form["region"], from_zoom=form["from_zoom"],
        to_zoom=form["to_zoom"], active=form["active"],
    )  # fmt: skip


def _typed(request: HttpRequest) -> dict[str, Any]:
    return {
        "title": typed(request, "title")[:200],
        "layers": [key for key in request.POST.getlist("layers") if key in queries.public_layers()],
        "kinds": [word for word in request.POST.getlist("kinds") if word in GROUPS],
        "region": typed(request, "region")[:20],
        "from_zoom": number_typed(request, "from_zoom"),
        "to_zoom": number_typed(request, "to_zoom"),
        "active": typed(request, "active") == "1",
        "revision": number_typed(request, "revision"),
    }


def _kept(preload: Preload) -> dict[str, Any]:
    return {
        "title": preload.title, "layers": preload.layers, "kinds": preload.kinds, "region": _region(preload, "code"),
        "from_zoom": preload.from_zoom, "to_zoom": preload.to_zoom, "active": preload.active, "revision": preload.revision,
    }  # fmt: skip


def _shown(standing: queries.Standing) -> dict[str, Any]:
    preload, job = standing.preload, standing.job
    names = [one.title for one in queries.layers_of(preload)]
    return {
        "standing": standing,
        "preload": preload,
        "layers": "、".join(names),
        "kinds": "、".join(GROUPS[word] if word in GROUPS else spoken_kinds([word]) for word in preload.kinds),
        "area": _region(preload, "name") or "全市",
        "open": job is not None,
        "percent": round(100 * job.progress) if job else 100,
        "message": job.message if job else "",
        "hits": hits.hits_of(preload),
    }


def _region(preload: Preload, fact: str) -> str:
    """Return the name or the code of a preload's region, '' for the whole city."""
    if preload.region_id is None:
        return ""
    found = versions_of(scope=Scope.public()).filter(region_id=preload.region_id).values_list(fact, flat=True).first()
    return str(found or "已撤销的区划")
