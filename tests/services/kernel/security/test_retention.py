"""Records go when they were kept long enough, no sooner, by a real worker; what goes is audited."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone

from geo.jobs.models import Job
from services.access.clients.models import ClientCall
from services.access.models import AuditEntry
from services.kernel.security import retention
from services.kernel.security.retention import RETENTIONS, purge_records
from services.kernel.security.tasks import purge


def called(days: int) -> ClientCall:
    row = ClientCall.objects.create(method="GET", path="/x", outcome="answered", status=200, ms=1)
    ClientCall.objects.filter(pk=row.pk).update(at=timezone.now() - dt.timedelta(days=days))
    return row


def test_what_is_declared_is_there_and_says_why() -> None:
    for each in RETENTIONS:
        field = apps.get_model(each.model)._meta.get_field(each.at)
        assert isinstance(field, models.DateField), each.model  # a day, or a moment
        assert each.days > 0
        assert each.what
        assert each.why
    assert len({each.model for each in RETENTIONS}) == len(RETENTIONS)
    logs = {each.model: each.days for each in RETENTIONS if "网络日志" in each.why}
    assert min(logs.values()) >= 183, "the law asks for six months"


@pytest.mark.django_db
def test_only_what_is_old_goes_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    old, young = [called(401) for _ in range(5)], called(399)
    running = Job.objects.create(kind="x", state="running")
    Job.objects.filter(pk=running.pk).update(created_at=timezone.now() - dt.timedelta(days=900))
    assert purge_records() == {"接口调用记录": len(old)}
    assert list(ClientCall.objects.all()) == [young]
    assert Job.objects.filter(pk=running.pk).exists(), "what has not ended has no age"
    assert AuditEntry.objects.get(act="records_purged").detail == {"gone": {"接口调用记录": 5}}
    assert purge_records() == {}
    assert AuditEntry.objects.filter(act="records_purged").count() == 1, "nothing went, nothing is told"


@pytest.mark.django_db(transaction=True)
def test_a_worker_clears_away(worker: Any) -> None:
    called(500)
    kept = called(10)
    Session.objects.create(session_key="s", session_data="", expire_date=timezone.now() - dt.timedelta(days=3))
    purge.delay()
    until = time.monotonic() + 20
    while time.monotonic() < until and not AuditEntry.objects.filter(act="records_purged").exists():
        time.sleep(0.05)
    assert list(ClientCall.objects.all()) == [kept]
    assert not Session.objects.exists()
