"""Writes of runs: ask for one, stop it, keep what came out, delete it, and purge what has expired."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, TooLarge, TooMany
from geo.geometry import LIMITS, json_depth
from geo.imports.quarantine import NUL
from geo.jobs.actions import cancel_job, run_job, start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import JobCancelled, Progress
from geo.kept import keep_file
from geo.scope import Scope
from layers.processes.models import ProcessRun
from layers.processes.queries import OPEN, folder, job_of, run_of
from layers.processes.registry import PUBLIC, process_named
from layers.processes.spec import Made, ProcessSpec
from layers.registry import layer

RUN_JOB: Final = "layers.process"
KEPT_DAYS: Final = 7
"""Days after which a run and its file are deleted."""
MOST_OPEN: Final = 3
MOST_OPEN_PUBLIC: Final = 4
"""Runs at a time of one account, and of all unknown callers together."""
LOST_AFTER: Final = dt.timedelta(hours=6)
MOST_KEPT: Final = 50
MOST_KEPT_PUBLIC: Final = 300
FETCHED_WITHIN: Final = dt.timedelta(hours=1)
"""When all places of unknown callers are taken, the oldest results go first, none before it could be fetched so long."""
MOST_BYTES: Final = 2_000_000_000
INPUT_BYTES: Final = 1_000_000
_CHUNK: Final = 1 << 20


def ask_run(
    *,
    process: str,
    inputs: Mapping[str, Any],
    scope: Scope,
    run_id: uuid.UUID | None = None,
    at_once: bool = False,
    reply: Mapping[str, str] | None = None,
) -> ProcessRun:
    """Ask for a run and return it, done already when ``at_once``; asked again with the same id and inputs it is the same run.

    Raises ``BadInput`` for inputs that do not hold, what the process's ``plan`` raises, ``TooMany`` beyond the caller's share,
    ``Conflict`` for an id that was used for something else.
    """
    spec = process_named(process, scope=scope)
    check_inputs(spec, inputs)
    plan = spec.plan(inputs, scope)
    if at_once and "sync" not in spec.modes:
        raise BadInput("mode_unknown", "这种处理只能在后台做，请用 Prefer: respond-async。")
    with transaction.atomic():
        _one_at_a_time(scope)
        if run_id is not None and (known := ProcessRun.objects.filter(pk=run_id).first()):
            return _same(known, process, inputs, scope)
        _check_share(scope)
        run = ProcessRun(
            pk=run_id or uuid.uuid4(),
            process=process,
            title=plan.title[:200],
            inputs=dict(inputs),
            reply=dict(reply or {}),
            actor=scope.actor,
            layer=plan.layer,
            others=list(plan.others),
            at_once=at_once,
            expires_at=timezone.now() + dt.timedelta(days=KEPT_DAYS),
        )
        params = {"run": str(run.pk), "at_once": at_once}
        if at_once:
            run.job = Job.objects.create(kind=RUN_JOB, params=params, actor=scope.actor)
        else:
            run.job = start_job(kind=RUN_JOB, params=params, actor=scope.actor)
        run.save(force_insert=True)
    if at_once:
        run_job(job_id=run.job.pk)
        run = run_of(run_id=run.pk, scope=scope)
    return run


def check_inputs(spec: ProcessSpec, inputs: Mapping[str, Any]) -> None:
    """Raise ``BadInput`` that names the first inputs that do not hold their schema."""
    check_names(spec, inputs)
    _check_writable(inputs)
    missing = [name for name, one in spec.inputs.items() if one.required and name not in inputs]
    if missing:
        titles = "、".join(f"{spec.inputs[name].title}（{name}）" for name in missing)
        raise BadInput("input_missing", f"还缺输入：{titles}。", inputs=missing)
    for name, value in inputs.items():
        if not jsonschema_rs.is_valid(dict(spec.inputs[name].schema), value):
            one = spec.inputs[name]
            raise BadInput("input_invalid", f"“{one.title}”（{name}）不合要求。{one.help}", input=name)


def check_names(spec: ProcessSpec, names: Collection[str]) -> None:
    """Raise ``BadInput`` for names of inputs that the process does not have."""
    unknown = sorted(set(names) - set(spec.inputs))
    if unknown:
        said = "、".join(name[:40] for name in unknown[:5])
        raise BadInput("input_unknown", f"没有这些输入：{said}。", known=sorted(spec.inputs))


def _check_writable(inputs: Mapping[str, Any]) -> None:
    """Raise ``TooLarge`` or ``BadInput`` for inputs that could not be kept as they are: too large, too deep, no JSON of ours."""
    try:
        written = orjson.dumps(inputs)
    except orjson.JSONEncodeError:  # deeper than it writes, a number of more than 64 bits, half a character
        written = b""
    if len(written) > INPUT_BYTES:
        raise TooLarge("inputs_too_large", f"输入超过 {INPUT_BYTES // 1_000_000} MB。请先上传成图层，再按图层处理。")
    deepest = LIMITS.json_depth
    if not written or json_depth(written) > deepest or NUL.search(written) or orjson.loads(written) != inputs:
        said = f"输入里有不能保存的内容：嵌套超过 {deepest} 层，或有不是文字的字符、过大的数字。请检查后重发。"
        raise BadInput("inputs_unwritable", said)


def _same(known: ProcessRun, process: str, inputs: Mapping[str, Any], scope: Scope) -> ProcessRun:
    if (known.actor, known.process, known.inputs) != (scope.actor, process, dict(inputs)):
        raise Conflict("run_id_used", "这个任务编号已经用过，请重新打开页面再提交。")
    return known


def _one_at_a_time(scope: Scope) -> None:
    """Let one request of a caller at a time count and add."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"process runs of {scope.actor}"])


def _check_share(scope: Scope) -> None:
    known = scope.actor != PUBLIC
    runs = ProcessRun.objects.filter(actor=scope.actor)
    most = MOST_OPEN if known else MOST_OPEN_PUBLIC
    lately = timezone.now() - LOST_AFTER  # what a process that died left queued must not count for days
    if runs.filter(job__state__in=OPEN, made_at__gte=lately).count() >= most:
        said = (
            f"您已有 {most} 个任务在做，做完一个再提交。"
            if known
            else "现在排队的人多，请过一会儿再试，或登录后再提交。"
        )
        raise TooMany("too_many_open", said, most=most, retry_after=30)
    kept = MOST_KEPT if known else MOST_KEPT_PUBLIC
    if runs.count() < kept or (not known and _make_room()):
        return
    said = (
        f"每人最多留 {kept} 个结果，请先删掉不用的。"
        if known
        else "公开下载的空间暂时满了，请过一小时再试，或登录后再提交。"
    )
    raise TooMany("too_many_kept", said, most=kept, retry_after=3600)


def _make_room() -> bool:
    """Delete the oldest run of unknown callers that ended and could be fetched for an hour; say whether there was one."""
    ended = ProcessRun.objects.select_related("job").filter(actor=PUBLIC).exclude(job__state__in=OPEN)
    oldest = ended.filter(made_at__lte=timezone.now() - FETCHED_WITHIN).order_by("made_at").first()
    if oldest is not None:
        _erase([oldest])
    return oldest is not None


def cancel_run(*, run_id: uuid.UUID | str, scope: Scope) -> ProcessRun:
    """Stop a run. Raises ``Conflict`` when it has ended."""
    run = run_of(run_id=run_id, scope=scope)
    cancel_job(job_id=job_of(run).pk)
    return run_of(run_id=run_id, scope=scope)


def delete_run(*, run_id: uuid.UUID | str, scope: Scope) -> None:
    """Delete a run with its file, stopping the work on it first."""
    _erase([run_of(run_id=run_id, scope=scope)])


def keep_result(*, progress: Progress, run: ProcessRun, made: Made, scope: Scope) -> dict[str, Any]:
    """Keep the file of a run and return what its row says of it; ``enter_result`` enters that. Raises ``TooLarge``."""
    size = made.path.stat().st_size
    if size > MOST_BYTES:
        raise TooLarge("result_too_large", "做出来的文件超过 2 GB。请缩小范围或减少属性，分几次做。", most=MOST_BYTES)
    target = folder() / f"{run.pk}-{progress.job.attempts}"
    keep_file(made.path, target)
    closed = not all(layer(key, scope=scope).public for key in run.layers)
    return {
        "paths": list(scope.paths) if closed else [],
        "file": target.name,
        "name": made.name[:200],
        "media_type": made.media_type,
        "size": size,
        "sha256": _digest(made.path),
        "rows": made.rows,
        "about": dict(made.about),
    }


def enter_result(*, progress: Progress, run: ProcessRun, told: Mapping[str, Any]) -> dict[str, Any]:
    """Enter what was kept and return what the job says of it.

    Raises ``JobCancelled``, with nothing kept, when the run was stopped or deleted or another worker has it.
    """
    with transaction.atomic():
        mine = Job.objects.select_for_update().filter(
            pk=progress.job.pk, attempts=progress.job.attempts, state=JobState.RUNNING, cancel_requested=False
        )
        if not mine.exists() or not ProcessRun.objects.filter(pk=run.pk, job_id=progress.job.pk).update(**told):
            (folder() / told["file"]).unlink(missing_ok=True)
            raise JobCancelled("job_cancelled", "任务已按要求停止，没有留下文件。")
    return {"rows": told["rows"], "size": told["size"]}


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def purge_runs(*, now: dt.datetime | None = None) -> int:
    """Delete the runs whose days are over, and files without a run; return how many runs went."""
    now = now or timezone.now()
    expired = list(ProcessRun.objects.select_related("job").filter(expires_at__lte=now))
    _erase(expired)
    known = set(ProcessRun.objects.exclude(file="").values_list("file", flat=True))
    an_hour_ago = now.timestamp() - 3600
    for path in folder().glob("*"):
        # a file that was just kept has no row yet
        if path.name not in known and path.stat().st_mtime < an_hour_ago:
            path.unlink(missing_ok=True)
    return len(expired)


def _erase(runs: Iterable[ProcessRun]) -> None:
    for run in runs:
        if run.job and run.job.state in OPEN:
            try:
                cancel_job(job_id=run.job.pk)
            except Conflict:  # it ended meanwhile
                run.refresh_from_db()
        ProcessRun.objects.filter(pk=run.pk).delete()
        if run.file:
            (folder() / run.file).unlink(missing_ok=True)
