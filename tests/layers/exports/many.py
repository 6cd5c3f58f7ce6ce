"""A layer of as many points as wanted, for processes that measure or are killed: ``python -m tests.layers.exports.many``."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

KEY: Final = "many"


def provide(rows: int) -> None:
    """Let this process know the layer."""
    from geo.crs import System
    from layers import registry
    from layers.registry import Provider
    from layers.spec import Attribute, Detail, LayerSpec

    spec = LayerSpec(
        key=KEY,
        title="许多点",
        geometry="point",
        category="own",
        summary="试验用的点。",
        table=f"""(SELECT n AS id, '第' || n || '个地方' AS name, n * 0.5 AS share, DATE '2026-01-01' + n %% 365 AS day,
            ST_SetSRID(ST_MakePoint(121 + (n %% 1000) * 0.0005, 31 + (n / 1000) * 0.0005), {System.CGCS2000.srid}) AS geom
            FROM generate_series(1, %(rows)s) n)""",
        parameters={"rows": rows},
        attributes=(
            Attribute("name", "名称", "text", "t.name"),
            Attribute("share", "比例", "number", "t.share"),
            Attribute("day", "日期", "day", "t.day"),
        ),
        details=(Detail(0),),
        edition="1",
    )
    registry.PROVIDERS[:] = [Provider({KEY: spec}.get, lambda: [spec])]


def measured(rows: int, format: str) -> dict[str, float]:
    """Write the layer and return the rows, seconds, megabytes of the file, and by how much the process grew."""
    from geo.scope import Scope
    from layers.exports.process import write_export
    from layers.processes.spec import Asked

    provide(10)
    with tempfile.TemporaryDirectory() as folder:
        inputs = {"layer": KEY, "format": format}
        write_export(Asked(inputs, Scope.public(), Path(folder), lambda share, message: None))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    provide(rows)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made = write_export(Asked(inputs, Scope.public(), Path(folder), lambda share, message: None))
        size = made.path.stat().st_size
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"rows": made.rows, "seconds": time.monotonic() - began, "mb": size / 1e6, "grown_mb": grown / 1024}


def run(job_id: str, rows: int, folder: str) -> None:
    """Run a job as a worker does, keeping files in a folder."""
    from django.conf import settings

    from geo.jobs.actions import run_job

    settings.MEDIA_ROOT = Path(folder)
    provide(rows)
    run_job(job_id=job_id)


if __name__ == "__main__":
    import django

    django.setup()
    what, *arguments = sys.argv[1:]
    if what == "run":
        run(arguments[0], int(arguments[1]), arguments[2])
    else:
        sys.stdout.write(json.dumps(measured(int(arguments[0]), arguments[1])))
