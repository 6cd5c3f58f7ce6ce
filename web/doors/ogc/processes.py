"""OGC API – Processes below ``/ogc``: what may be asked for, asking for it, and what became of it."""

from __future__ import annotations

import base64
import copy
import functools
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt

from geo.errors import BadInput, CityError, Conflict, NotFound, TooLarge
from geo.jobs.models import JobState
from geo.kept import open_file
from geo.scope import Scope
from layers.ogc.links import address, link
from layers.ogc.media import JSON, PROBLEM, form_asked
from layers.processes.actions import INPUT_BYTES, delete_run
from layers.processes.documents import (
    JOBS_REL,
    STATUSES,
    description,
    exception,
    result_link,
    status_info,
    summary,
)
from layers.processes.joblist import MOST_LISTED, listed_jobs, read_wanted
from layers.processes.models import ProcessRun
from layers.processes.queries import file_of_run, job_of, run_of
from layers.processes.registry import process_named, visible_processes
from layers.processes.requests import mode_of, read_execute
from layers.processes.spec import RESULT
from web.api.errors import problem, status_of
from web.api.exports import ask_within_share, asker, note_taking, send_result
from web.api.limits import EXPORTS
from web.doors.ogc.pages import OGC

MOST_INLINE: Final = 20_000_000
KINDS: Final = {
    "process_unknown": "no-such-process",
    "run_unknown": "no-such-job",
    "result_not_ready": "result-not-ready",
}
"""What the standard calls our errors."""
OURS_TO_MEND: Final = {"fault", "worker_lost"}
View = Callable[..., HttpResponseBase]


class JobFailed(CityError):
    """A job ended without a result, for a reason that stands with it."""


def answers(*methods: str) -> Callable[[View], View]:
    """Make a view of these methods: limits, and errors in the words of the standard; nothing is kept by caches."""
    allowed = ("OPTIONS", *methods, *(("HEAD",) if "GET" in methods else ()))

    def around(view: View) -> View:
        @csrf_exempt  # a signed-in browser is asked for its token by ``asker``
        @functools.wraps(view)
        def answer(request: HttpRequest, **path: Any) -> HttpResponseBase:
            if request.method == "OPTIONS" or request.method not in allowed:
                status = 204 if request.method == "OPTIONS" else 405
                return HttpResponse(status=status, headers={"Allow": ", ".join(allowed)})
            try:
                OGC.allow_request(request)
                response = view(request, asker(request), **path)
            except CityError as error:
                response = _refused(request, error)
            response["Cache-Control"] = "private, no-store"
            return response

        return answer

    return around


def _refused(request: HttpRequest, error: CityError) -> HttpResponse:
    told = problem(error)
    body = orjson.loads(told.content)
    status = 404 if error.code == "result_not_ready" else int(error.detail.get("status") or status_of(error))
    title = body["title"] if status == body["status"] else "没能完成"
    said = exception(KINDS.get(error.code, ""), status, title, error.message, request.path, code=error.code)
    response = HttpResponse(orjson.dumps(said), status=status, content_type=PROBLEM)
    for name in ("Retry-After", "WWW-Authenticate"):
        if name in told:
            response[name] = told[name]
    return response


def _root(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}/ogc"


def _json(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(body),
        status=status,
        content_type=JSON,
        headers={k.replace("_", "-"): v for k, v in headers.items()},
    )


@answers("GET")
def process_list(request: HttpRequest, scope: Scope) -> HttpResponse:
    """List the processes."""
    query = _only(request, "f", "limit")
    limit = _limit(query.get("limit"))
    root = _root(request)
    listed = [summary(one, root) for one in visible_processes(scope=scope)][:limit]
    links = [
        link("self", address(f"{root}/processes", query), JSON, "处理"),
        link(JOBS_REL, f"{root}/jobs", JSON, "我的任务"),
    ]
    body = {"processes": listed, "links": links}
    if form_asked(query.get("f"), request.headers.get("Accept", "")) == "html":
        return render(request, "ogc/processes.html", {"document": body, "alternate": f"{root}/processes?f=json"})
    return _json(body)


@answers("GET")
def process(request: HttpRequest, scope: Scope, key: str) -> HttpResponse:
    """Describe a process."""
    query = _only(request, "f")
    body = description(process_named(key, scope=scope), _root(request))
    if form_asked(query.get("f"), request.headers.get("Accept", "")) == "html":
        put = [{"name": name, **one} for name, one in body["inputs"].items()]
        context = {"document": body, "inputs": put, "alternate": f"{_root(request)}/processes/{key}?f=json"}
        return render(request, "ogc/process.html", context)
    return _json(body)


@answers("POST")
def execution(request: HttpRequest, scope: Scope, key: str) -> HttpResponseBase:
    """Execute a process: at once, or as a job when the caller prefers that or the process knows no other way."""
    EXPORTS.allow_request(request)
    spec = process_named(key, scope=scope)
    asked = read_execute(request.body, spec=spec, fetch=functools.partial(_behind, request))
    mode = mode_of(spec, request.headers.get("Prefer", ""))
    run = ask_within_share(request, process=key, inputs=asked.inputs, at_once=mode == "sync", reply=asked.reply)
    if mode == "sync":
        return _result(request, run, scope)
    root = _root(request)
    preferred = {"Preference_Applied": "respond-async"} if request.headers.get("Prefer") else {}
    return _json(status_info(run, root), 201, Location=f"{root}/jobs/{run.pk}", **preferred)


@answers("GET")
def job_list(request: HttpRequest, scope: Scope) -> HttpResponse:
    """List the caller's jobs."""
    query = _only(
        request, "f", "limit", "after", "type", "processID", "status", "datetime", "minDuration", "maxDuration"
    )
    wanted = read_wanted(request.GET, _limit(query.get("limit")))
    runs, onward = listed_jobs(wanted, scope=scope)
    root = _root(request)
    links = [link("self", f"{root}/jobs?{request.GET.urlencode()}".rstrip("?"), JSON, "我的任务")]
    if onward:
        following = request.GET.copy()
        following["after"] = onward
        links.append(link("next", f"{root}/jobs?{following.urlencode()}", JSON, "下一页"))
    return _json({"jobs": [status_info(run, root) for run in runs], "links": links})


@answers("GET", "DELETE")
def job(request: HttpRequest, scope: Scope, run_id: str) -> HttpResponse:
    """Say how far a job is, or dismiss it: what was made of it is deleted."""
    run = _run(run_id, scope)
    root = _root(request)
    if request.method != "DELETE":
        return _json(status_info(run, root))
    told = status_info(run, root)
    delete_run(run_id=run.pk, scope=scope)
    return _json({**told, "status": STATUSES[JobState.CANCELLED], "message": "已停下并删除。", "links": []})


@answers("GET")
def results(request: HttpRequest, scope: Scope, run_id: str) -> HttpResponseBase:
    """Give the results of a job as they were asked for."""
    return _result(request, _run(run_id, scope), scope)


@answers("GET")
def output(request: HttpRequest, scope: Scope, run_id: str, name: str) -> HttpResponseBase:
    """Give one output of a job."""
    run = _run(run_id, scope)
    if name != RESULT:
        raise NotFound("output_unknown", f"没有这个结果，只有 {RESULT}。")
    _check_ended(run)
    return send_result(request, run)


def _run(run_id: str, scope: Scope) -> ProcessRun:
    try:
        return run_of(run_id=uuid.UUID(run_id), scope=scope)
    except ValueError:
        raise NotFound("run_unknown", "没有找到这个任务，可能已到期删除。") from None


def _check_ended(run: ProcessRun) -> None:
    done = job_of(run)
    if done.state == JobState.FAILED:
        status = 500 if done.error.get("code") in OURS_TO_MEND else 400
        raise JobFailed(done.error.get("code", "fault"), done.error.get("message", "任务没能完成。"), status=status)
    if done.state == JobState.CANCELLED:
        raise NotFound("run_dismissed", "这个任务已经停下，没有结果。")
    if done.state != JobState.DONE:
        raise Conflict("result_not_ready", "还没有做好，请稍后再取。")


def _result(request: HttpRequest, run: ProcessRun, scope: Scope) -> HttpResponseBase:
    _check_ended(run)
    root = _root(request)
    by_value, raw = run.reply.get("transmission") != "reference", run.reply.get("response") != "document"
    if raw and by_value:
        return send_result(request, run)
    file_of_run(run, scope=scope)
    if raw:
        told = result_link(run, root)
        return HttpResponse(status=204, headers={"Link": f'<{told["href"]}>; rel="item"; type="{told["type"]}"'})
    return _json({RESULT: _inline(request, run, scope) if by_value else result_link(run, root)})


def _inline(request: HttpRequest, run: ProcessRun, scope: Scope) -> dict[str, Any]:
    note_taking(request, run)
    content = _content(run, scope)
    if run.media_type == "application/geo+json":
        return {"value": orjson.Fragment(content), "mediaType": run.media_type}
    return {"value": base64.b64encode(content).decode(), "encoding": "base64", "mediaType": run.media_type}


def _behind(request: HttpRequest, href: str) -> Any:
    """Return the JSON behind a reference: one of our own documents below ``/ogc``, as this caller sees it; nothing is fetched.

    Raises ``BadInput`` for any other address.
    """
    there = _split(href)
    if there[:2] != (request.scheme, request.get_host()) or not there.path.startswith("/ogc/"):
        raise BadInput(
            "reference_elsewhere", "引用只能指向本服务 /ogc 下的地址；别处的数据请直接写在请求里。", href=href[:200]
        )
    try:
        match = resolve(there.path)
        if match.func is results or (match.func is output and match.kwargs["name"] == RESULT):
            run = _run(match.kwargs["run_id"], asker(request))
            _check_ended(run)
            content = _content(run, asker(request))
        else:
            answer = match.func(_asking_for(request, there.path, there.query), *match.args, **match.kwargs)
            content = answer.content if answer.status_code == 200 else b""
        if len(content) > INPUT_BYTES:
            raise BadInput("reference_too_large", "引用的内容超过 1 MB，请按图层处理。", href=href[:200])
        return orjson.loads(content)
    except (Http404, CityError, orjson.JSONDecodeError):
        raise BadInput("reference_broken", "引用的地址打不开，或不是 1 MB 以内的 JSON。", href=href[:200]) from None


def _split(href: str) -> SplitResult:
    try:
        return urlsplit(href)
    except ValueError:  # a bracket of an address that is none
        return SplitResult("", "", "", "", "")


def _asking_for(request: HttpRequest, path: str, query: str) -> HttpRequest:
    """Return the same caller's request for another document."""
    inner = copy.copy(request)
    inner.method, inner.path, inner.path_info = "GET", path, path
    inner.GET = QueryDict(query)
    inner.META = {**request.META, "HTTP_ACCEPT": "application/geo+json, application/json"}
    inner.META.pop("HTTP_IF_NONE_MATCH", None)
    inner.__dict__.pop("headers", None)
    return inner


def _content(run: ProcessRun, scope: Scope) -> bytes:
    """Return the whole file of a run, where it is small enough to be held. Raises ``TooLarge``."""
    if run.size > MOST_INLINE:
        raise TooLarge("result_not_inline", '结果太大，不能放在文档里。请用 "transmissionMode": "reference"。')
    with open_file(file_of_run(run, scope=scope)) as content:
        return bytes(content.read())


def _only(request: HttpRequest, *known: str) -> dict[str, str]:
    unknown = sorted(set(request.GET) - set(known))
    if unknown:
        raise BadInput("parameter_unknown", f"没有参数 {'、'.join(unknown)[:80]}。", known=list(known))
    return {name: str(value) for name, value in request.GET.items()}


def _limit(text: str | None) -> int:
    if text is None:
        return MOST_LISTED
    if not (text.isascii() and text.isdigit() and len(text) < 100 and int(text)):
        raise BadInput("limit_invalid", f"limit 要是 1 到 {MOST_LISTED} 的整数。", parameter="limit")
    return min(int(text), MOST_LISTED)
