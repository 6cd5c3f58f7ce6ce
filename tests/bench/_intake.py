"""The part of a benchmark that brings 50,000 rows into a ledger, over a scratch database; run as ``python -m tests.bench._intake PART``.

The work is done as a worker does it, with its progress written as always; the file goes through the reader in its own process.
The part prints one JSON value on its last line; ``bars`` makes lines of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

from tests.bench.report import Bar  # noqa: E402

ROWS = 50_000
BAR_S = 60.0
FAULTY = 200


def bars(found: dict[str, Any]) -> list[Bar]:
    """Return the lines for what the part ``rows`` found."""
    note = (
        f"bar {BAR_S:.0f}; reading {found['read_s']:.1f}, checking {found['check_s']:.1f}, writing {found['write_s']:.1f} s; "
        f"{found['rows_per_s']:,.0f} rows/s; {found['refused']:,} refused; "
        f"again, all unchanged: {found['again_s']:.1f} s; all changed: {found['changed_s']:.1f} s"
    )
    whole = found["read_s"] + found["check_s"] + found["write_s"]
    return [Bar(f"import {found['rows']:,} rows of a sheet", whole, None, None, "s", note)]


def rows() -> dict[str, Any]:
    """Import a sheet of 50,000 rows with 200 faulty ones, located by address, and the same rows once more."""
    from geo.regions.models import RegionVersion
    from services.access.actions import declare_roles, grant_role
    from services.access.models import User
    from services.access.queries import Caller, scope_of
    from services.facilities.models import Facility
    from tests.services.kernel.ledger.importing.sheets import good_rows, xlsx

    declare_roles()
    user = User.objects.create_user("bench")
    city = RegionVersion.objects.get(level="city", edition__state="published").region
    grant_role(user=user, role="city_manager", region=city, granted_by="bench")
    scope = scope_of(Caller(user))
    sheet: list[dict[str, Any]] = good_rows(ROWS)
    for at in range(0, ROWS, ROWS // FAULTY):
        sheet[at]["床位数"] = "二十"
    before = Facility.objects.count()
    found = _imported(xlsx(sheet), scope)
    assert Facility.objects.count() == before + ROWS - FAULTY
    again = _imported(xlsx([*sheet[1:], sheet[0]]), scope)
    changed = _imported(xlsx([{**row, "电话": "021-1"} for row in sheet]), scope)
    assert Facility.objects.filter(phone="021-1").count() == ROWS - FAULTY
    assert Facility.objects.count() == before + ROWS - FAULTY
    whole = found["read_s"] + found["check_s"] + found["write_s"]
    return {
        **found,
        "rows": ROWS,
        "rows_per_s": ROWS / whole,
        "again_s": again["read_s"] + again["check_s"] + again["write_s"],
        "changed_s": changed["read_s"] + changed["check_s"] + changed["write_s"],
    }


def _imported(data: bytes, scope: Any) -> dict[str, Any]:
    from geo.jobs.actions import run_job
    from services.kernel.ledger.importing import actions
    from services.kernel.ledger.importing.queries import import_of, tally_of

    marks: list[float] = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "名单.xlsx"
        source.write_bytes(data)
        one = actions.take_sheet(ledger="facilities", source=source, name=source.name, datum="", scope=scope)
        marks.append(time.perf_counter())
        for begin in (actions.begin_check, _write):
            asked: Any = begin(import_id=one.pk, scope=scope)
            done = run_job(job_id=asked.job.pk)
            marks.append(time.perf_counter())
            if done.state != "done":
                raise RuntimeError(f"{done.kind}: {done.error}")
        tally = tally_of(import_of(one.pk, scope=scope))
    read, check, write = (marks[at + 1] - marks[at] for at in range(3))
    return {"read_s": read, "check_s": check, "write_s": write, "refused": tally.refused}


def _write(**asked: Any) -> Any:
    from services.kernel.ledger.importing import actions

    return actions.begin_writing(**asked)[0]


PARTS = {"rows": rows}


def main(arguments: Sequence[str]) -> None:
    """Run one part and print what it found."""
    import django

    django.setup()
    sys.stdout.write(json.dumps(PARTS[arguments[0]]()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
