"""The desk of who keeps security: the last check part by part, a check now, keys and logs as they stand."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.jobs.models import Job, JobState
from services.access.queries import scope_for
from services.kernel.security.actions import UNDER_WAY, ask_for_check
from services.kernel.security.queries import key_lines, last_checks, last_rotation, log_lines
from web.doors.common.job_states import STATES

LOOK_AGAIN_S: Final = 3


@never_cache
@login_required
@require_safe
def security_page(request: HttpRequest) -> HttpResponse:
    """Show the last check that ended, the one that runs, and keys and logs. While one runs the page comes again by itself."""
    scope = scope_for(request)
    checks = list(last_checks(scope=scope))
    running = next((each for each in checks if each.state in UNDER_WAY), None)
    done = next((each for each in checks if each.state == JobState.DONE), None)
    rotation = last_rotation(scope=scope)
    keys, keys_fault = key_lines(scope=scope)
    context = {
        "running": running,
        "percent": round(100 * running.progress) if running else 0,
        "report": done.result if done else None,
        "done": done,
        "checks": [_line(each) for each in checks],
        "keys": keys,
        "keys_fault": keys_fault,
        "logs": log_lines(scope=scope),
        "rotation": _line(rotation) if rotation else None,
    }
    answer = render(request, "desk/security.html", context)
    if running or (rotation and rotation.state in UNDER_WAY):
        answer["Refresh"] = str(LOOK_AGAIN_S)
    return answer


@login_required
@require_POST
def check_now(request: HttpRequest) -> HttpResponse:
    """Start a check; one that is under way is shown instead."""
    ask_for_check(scope=scope_for(request), request=request, everything=bool(request.POST.get("everything")))
    said.success(request, "已开始核查，完成后在本页显示结果。")
    return redirect("desk-security")


def _line(job: Job) -> dict[str, Any]:
    kind, icon, label = STATES[job.state]
    wrong = sum(len(section["findings"]) for section in job.result.get("sections", []))
    if wrong:
        kind, icon, label = "warn", "circle-x", f"{wrong} 处问题"
    elif job.result.get("good"):
        label = "全部通过"
    return {"job": job, "kind": kind, "icon": icon, "label": label, "error": job.error.get("message", "")}
