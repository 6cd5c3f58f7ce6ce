"""Which files runs keep: what came out of them."""

from __future__ import annotations

from collections.abc import Iterator

from geo.kept import KeptFolder
from layers.processes.models import ProcessRun


def _results() -> Iterator[str]:
    return ProcessRun.objects.exclude(file="").values_list("file", flat=True).iterator()


KEPT = (KeptFolder("results", "导出与处理结果", _results),)
