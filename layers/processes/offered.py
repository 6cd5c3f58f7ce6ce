"""What ``/ogc`` declares of processes: conformance classes, links of the landing page, paths of the API document."""

from __future__ import annotations

from typing import Any, Final

from layers.ogc.conformance import Part
from layers.ogc.media import JSON, PROBLEM
from layers.processes.documents import JOBS_REL, PROCESSES_REL, STATUSES

CORE: Final = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
_TEXT: Final = {"type": "string"}
_ANY: Final = {"type": "object"}


def _answer(what: str, kind: str = JSON, schema: Any = None) -> dict[str, Any]:
    return {"description": what, "content": {kind: {"schema": schema or _ANY}}}


def _problems(*codes: str) -> dict[str, Any]:
    return {code: _answer("不能这样", PROBLEM) for code in ("400", "401", "429", *codes)}


def _parameter(name: str, place: str, schema: Any, *, required: bool = False, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema, **more}


def _operation(
    name: str, summary: str, parameters: list[Any], responses: dict[str, Any], **more: Any
) -> dict[str, Any]:
    told = {"tags": ["处理"], "operationId": name, "summary": summary, "responses": responses, **more}
    return {**told, "parameters": parameters} if parameters else told


def paths() -> dict[str, Any]:
    """Return the OpenAPI path items below ``/ogc``."""
    of_process = _parameter("processID", "path", {**_TEXT, "pattern": "^[-a-zA-Z0-9_]+$"}, required=True)
    of_job = _parameter("jobID", "path", {**_TEXT, "pattern": "^[-a-zA-Z0-9_]+$"}, required=True)
    of_output = _parameter("outputID", "path", {**_TEXT, "pattern": "^[-a-zA-Z0-9_]+$"}, required=True)
    limit = _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100, "default": 100})
    form = _parameter("f", "query", {**_TEXT, "enum": ["json", "html"]})
    words: dict[str, Any] = {"style": "form", "explode": False}
    found_page = {"200": {"description": "文档", "content": {JSON: {"schema": _ANY}, "text/html": {"schema": _TEXT}}}}
    execute = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "inputs": _ANY,
            "outputs": _ANY,
            "response": {**_TEXT, "enum": ["raw", "document"], "default": "raw"},
        },
    }
    done = {"description": "结果", "content": {"*/*": {"schema": {}}}}
    seconds = {"type": "integer", "minimum": 0}
    return {
        "/processes": {"get": _operation("getProcesses", "有哪些处理", [limit, form], {**found_page, **_problems()})},
        "/processes/{processID}": {
            "get": _operation("getProcess", "一种处理", [of_process, form], {**found_page, **_problems("404")})
        },
        "/processes/{processID}/execution": {
            "post": _operation(
                "execute",
                "执行",
                [of_process, _parameter("Prefer", "header", {**_TEXT, "enum": ["respond-async", "respond-sync"]})],
                {
                    "200": done,
                    "201": _answer("任务"),
                    "204": {"description": "结果在 Link 里"},
                    **_problems("403", "404", "409", "413", "503"),
                },
                requestBody={"required": True, "content": {JSON: {"schema": execute}}},
            )
        },
        "/jobs": {
            "get": _operation(
                "getJobs",
                "我的任务",
                [
                    limit,
                    _parameter("type", "query", {"type": "array", "items": {**_TEXT, "enum": ["process"]}}, **words),
                    _parameter("processID", "query", {"type": "array", "items": _TEXT}, **words),
                    _parameter(
                        "status",
                        "query",
                        {"type": "array", "items": {**_TEXT, "enum": list(STATUSES.values())}},
                        **words,
                    ),
                    _parameter("datetime", "query", _TEXT, **words),
                    _parameter("minDuration", "query", seconds, **words),
                    _parameter("maxDuration", "query", seconds, **words),
                    _parameter("after", "query", _TEXT),
                ],
                {"200": _answer("任务"), **_problems()},
            )
        },
        "/jobs/{jobID}": {
            "get": _operation("getStatus", "一个任务", [of_job], {"200": _answer("进度"), **_problems("404")}),
            "delete": _operation(
                "dismiss", "停下并删除", [of_job], {"200": _answer("已停下"), **_problems("403", "404", "409")}
            ),
        },
        "/jobs/{jobID}/results": {
            "get": _operation(
                "getResults",
                "结果",
                [of_job],
                {
                    "200": done,
                    "204": {"description": "结果在 Link 里"},
                    **_problems("404", "413"),
                    "500": _answer("没能完成", PROBLEM),
                },
            )
        },
        "/jobs/{jobID}/results/{outputID}": {
            "get": _operation(
                "getOutput",
                "一项结果",
                [of_job, of_output],
                {"200": done, **_problems("404"), "500": _answer("没能完成", PROBLEM)},
            )
        },
    }


PROCESSES: Final = Part(
    classes=tuple(CORE + name for name in ("core", "ogc-process-description", "json", "oas30", "job-list", "dismiss")),
    links=((PROCESSES_REL, "/processes", "处理"), (JOBS_REL, "/jobs", "我的任务")),
    paths=paths,
)
