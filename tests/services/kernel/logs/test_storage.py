"""Months come and go: partitions are made ahead, dropped when their time is over, and leave as archives that can be checked."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from geo.errors import Conflict, Forbidden
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, AuditEntry
from services.kernel.logs.archiving import archive_month, read_archive
from services.kernel.logs.models import LogLine
from services.kernel.logs.queries import Asked, find_lines
from services.kernel.logs.spec import RETENTION
from services.kernel.logs.storage import Partition, bounds_of, ensure_partitions, month_of, partitions, purge_logs
from tests.services.kernel.logs.conftest import collect_all

CITY = Scope(paths=("310000.",), duties=frozenset({"logs.view", "logs.configure"}), actor="shi")
pytestmark = pytest.mark.usefixtures("logs")


def test_what_is_older_lies_in_its_own_month_and_goes_with_it() -> None:
    entry = record_audit(act=AuditAct.SIGN_OUT, actor="old")
    AuditEntry.objects.filter(pk=entry.pk).update(at=dt.datetime(2020, 1, 31, 17, tzinfo=dt.UTC))  # February here
    collect_all()
    assert LogLine.objects.get(actor="old").at.year == 2020
    (old,) = [each for each in partitions() if each.table.endswith("audit_202002")]
    assert old.drops_on == dt.date(2025, 3, 1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {old.table}")
        assert cursor.fetchone() == (1,)
    dropped = purge_logs(on=dt.date(2025, 2, 28))
    assert old.table not in {each.table for each in dropped}
    dropped = purge_logs(on=dt.date(2025, 3, 1))
    assert old.table in {each.table for each in dropped}
    assert not LogLine.objects.filter(actor="old").exists()
    assert AuditEntry.objects.filter(act="logs_purged").exists()


def test_this_month_and_the_next_stand_ready_and_nothing_is_made_twice() -> None:
    this = month_of(timezone.now())
    there = {(each.kept, each.month) for each in partitions()}
    assert {(kept, this) for kept in RETENTION} <= there, "also when a month began since the tables were made"
    ensure_partitions()
    ready = {(each.kept, each.month) for each in partitions()}
    assert {(kept, month_of(bounds_of(this)[1])) for kept in RETENTION} <= ready
    assert ensure_partitions() == []
    assert ensure_partitions({("audit", dt.date(2031, 12, 1))}) == ["kernel_logs_logline_audit_203112"]
    assert bounds_of(dt.date(2031, 12, 1))[1].astimezone(dt.UTC) == dt.datetime(2031, 12, 31, 16, tzinfo=dt.UTC)


def test_audit_is_kept_longer_than_access() -> None:
    assert RETENTION["audit"].months > RETENTION["access"].months >= 6
    assert Partition("machine", dt.date(2026, 1, 1), "", 0, 0).drops_on == dt.date(2026, 8, 1)


@pytest.mark.parametrize("sealed", [False, True])
def test_an_archive_is_checked_by_its_manifest(sealed: bool) -> None:
    record_audit(act=AuditAct.SIGN_OUT, actor="someone")
    collect_all()
    this = month_of(timezone.now())
    month, (first, _) = f"{this:%Y-%m}", bounds_of(this)
    with archive_month(kept="audit", month=month, sealed=sealed, scope=CITY) as file:
        data = file.read()
    lines = list(read_archive(io.BytesIO(data)))
    assert len(lines) == LogLine.objects.filter(kept="audit", at__gte=first).count()
    assert any(line["actor"] == "someone" for line in lines)
    assert (
        b"someone" in zipfile.ZipFile(io.BytesIO(data)).read(zipfile.ZipFile(io.BytesIO(data)).namelist()[0])
    ) != sealed
    with pytest.raises(Conflict, match="可能被改动过"):
        list(read_archive(_altered(data)))
    with pytest.raises(Forbidden):
        archive_month(
            kept="audit", month=month, sealed=False, scope=Scope(paths=("310000.310101.",), duties=CITY.duties)
        )


def _altered(data: bytes) -> io.BytesIO:
    """Return an archive with a line more, and a manifest that says so without a new signature."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        lines = old.read(manifest["file"]) + b"{}\n"
        new.writestr(manifest["file"], lines)
        new.writestr("manifest.json", json.dumps({**manifest, "sha256": sha256(lines).hexdigest()}))
    out.seek(0)
    return out


def test_pages_by_key_hold_every_line_once_and_go_back() -> None:
    for number in range(25):
        record_audit(act=AuditAct.SIGN_OUT, actor=f"p{number % 3}")
    collect_all()
    LogLine.objects.filter(act="audit.sign_out").update(at=timezone.now())  # many at one moment
    asked, seen, key = Asked(act="audit.sign_out"), [], ""
    pages: list[Any] = []
    while True:
        page = find_lines(asked, scope=CITY, older=key, most=7)
        seen += [line.pk for line in page.lines]
        pages.append([line.pk for line in page.lines])
        key = page.older
        if not key:
            break
    assert seen == list(
        LogLine.objects.filter(act="audit.sign_out").order_by("-at", "-id").values_list("pk", flat=True)
    )
    back = find_lines(asked, scope=CITY, newer=page.newer, most=7)
    assert [line.pk for line in back.lines] == pages[-2]


def test_text_is_found_as_reading_every_line_would_find_it() -> None:
    for name in ("长宁路 12 号", "长寿路", "宁长", "ABC楼", "abc"):
        record_audit(act=AuditAct.ACCOUNT_CHANGED, actor="t", detail={"account": name})
    collect_all()
    lines = list(LogLine.objects.filter(act="audit.account_changed"))
    for word in ("长宁", "宁路", "路", "abc", "ABC楼", "宁长", "长寿路", "路12", "修改", "查无"):
        brute = {
            line.pk
            for line in lines
            if word.lower() in (line.what + " " + line.object_name).lower()
            or word.lower() in "".join((line.what + " " + line.object_name).split()).lower()
            and len(word) == 2
        }
        found = {line.pk for line in find_lines(Asked(text=word, act="audit.account_changed"), scope=CITY).lines}
        assert found == brute, word
