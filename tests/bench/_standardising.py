"""The part of the ``addresses`` benchmark that standardises a whole batch; run as ``python -m tests.bench._standardising batch``.

It prints one JSON value on its last line: rows, seconds by step, and the peak memory of the worker in megabytes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402

from fixtures.city import generate  # noqa: E402
from fixtures.city.misspelling import misspell  # noqa: E402
from geo.addresses.standardising.actions import begin_batch, delete_batch, upload_list  # noqa: E402
from geo.addresses.standardising.queries import all_answers, batch_of, tally_of  # noqa: E402
from geo.jobs.actions import run_job  # noqa: E402
from geo.scope import Scope  # noqa: E402

ROWS = int(os.environ.get("QUANTU_BENCH_ROWS", "50000"))
CLERK = Scope(actor="bench")


def batch() -> dict[str, Any]:
    """Upload a list of misspelt addresses of the city that is loaded, let the job standardise it, and read the result once."""
    with tempfile.TemporaryDirectory() as folder:
        settings.MEDIA_ROOT = Path(folder)
        source = Path(folder) / "list.csv"
        # In a process of its own: the memory of the generator is not the worker's.
        subprocess.run([sys.executable, "-m", "tests.bench._standardising", "list", str(source)], check=True)
        began = time.monotonic()
        found = upload_list(source=source, name="list.csv", scope=CLERK)
        read = time.monotonic() - began
        size = source.stat().st_size
        found = begin_batch(batch_id=found.pk, scope=CLERK)
        assert found.job
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        run_job(job_id=found.job.pk)
        worked = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = batch_of(batch_id=found.pk, scope=CLERK)
        began = time.monotonic()
        rows = sum(1 for _ in all_answers(found))
        written = time.monotonic() - began
        tally = tally_of(found)
        delete_batch(batch_id=found.pk, scope=CLERK)
    return {
        "rows": rows,
        "bytes": size,
        "read_s": read,
        "work_s": worked,
        "result_s": written,
        "statuses": dict(tally.statuses),
        "before_mb": before / 1024,
        "peak_mb": after / 1024,
    }


def write_list(target: Path) -> None:
    """Write a list of misspelt addresses of the invented city."""
    table = generate(os.environ.get("QUANTU_SCALE", "demo"), 2025).addresses  # type: ignore[arg-type]
    with target.open("w", encoding="utf-8") as out:
        out.write("序号,户籍地址,备注\n")
        number = 0
        while number < ROWS:
            for _, text, _ in misspell(table, seed=number, count=min(100_000, ROWS - number), keeping_meaning=False):
                number += 1
                out.write(f"{number},{text.replace(',', '，')},备注\n")


if __name__ == "__main__":
    if sys.argv[1] == "list":
        write_list(Path(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps({"batch": batch}[sys.argv[1]]()) + "\n")
