"""Long work on scenes: large uploads read aside."""

from __future__ import annotations

from typing import Any

from geo.errors import BadInput
from geo.jobs.progress import Progress
from geo.jobs.registry import job
from geo.scope import Scope
from layers.scenes.actions import READ_JOB, read_package
from layers.scenes.models import PackageState, ScenePackage
from layers.scenes.queries import EDIT, VIEW


@job(READ_JOB)
def read(progress: Progress, params: dict[str, Any]) -> dict[str, Any]:
    """Read an upload that somebody was allowed to send when he sent it."""
    progress.step(0.05, "正在核对文件")
    package = ScenePackage.objects.select_related("scene").get(pk=params["package"])
    scope = Scope(paths=(package.scene.path,), duties=frozenset({VIEW, EDIT}), actor=params["account"])
    done = read_package(package.pk, scope=scope)
    if done.state == PackageState.FAILED:
        raise BadInput("scene_refused", done.error)
    return {"files": done.files.count()}
