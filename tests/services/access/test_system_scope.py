"""Whoever takes the platform's own scope leaves one audit entry, and none who cannot leave it gets the scope."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError

from geo.addresses import placing
from geo.addresses.models import Address
from geo.imports.actions import draft_source, publish_runs
from geo.scope import Scope
from services.access import actions
from services.access.models import AuditAct, AuditEntry
from tests.geo.imports.test_import import addresses
from tests.geo.imports.worlds import bring, place, write_rows

pytestmark = pytest.mark.django_db


def reasons() -> list[str]:
    return list(
        AuditEntry.objects.filter(act=AuditAct.SYSTEM_SCOPE).order_by("id").values_list("detail__reason", flat=True)
    )


def test_each_use_is_one_entry_with_its_reason() -> None:
    assert Scope.system("夜间核对").holds("anything")
    Scope.public()
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.actor, entry.detail) == ("system_scope", "system", {"reason": "夜间核对"})


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_there_is_no_scope(reason: str) -> None:
    with pytest.raises(ValueError, match="why"):
        Scope.system(reason)
    assert reasons() == []


def test_what_cannot_be_audited_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise DatabaseError("the log is full")

    monkeypatch.setattr(actions, "record_audit", fails)
    with pytest.raises(DatabaseError):
        Scope.system("夜间核对")


@pytest.mark.parametrize("commit", [True, False])
def test_an_import_is_one_entry_however_many_rows_it_looks_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: bool
) -> None:
    monkeypatch.setattr(placing, "MOST_TEXTS", 2)
    doors = [{"id": n, "text": f"淮海中路{n}号", "lon": 121.45 + n / 1e4, "lat": 31.2} for n in range(1, 10)]
    publish_runs(runs=[draft_source(spec=addresses(columns={"text": "text"}), files=[write_rows(tmp_path, doors)])])
    assert Address.objects.count() == 9
    before = len(reasons())
    rows = [place(n, address=f"淮海中路{n}号", lon="", lat="") for n in range(1, 10)]
    report = bring(tmp_path, rows, commit=commit)
    assert (report.warnings["geocoded"], report.published) == (9, commit)
    assert reasons()[before:] == [f"{'发布' if commit else '核对'}导入：places"]


def test_the_scope_itself_knows_nothing_of_the_audit() -> None:
    said = "import sys, geo.scope; geo.scope.Scope.system('x'); assert not any(m.startswith(('django', 'services')) for m in sys.modules)"
    subprocess.run([sys.executable, "-c", said], cwd=settings.ROOT, check=True)
