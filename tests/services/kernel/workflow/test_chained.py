"""The timeline of cases is signed: an opinion rewritten past the platform is named, though the trigger was switched off."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.db import connection

from services.crypto.chain import chain_logs
from services.crypto.chain_checks import check_logs
from services.crypto.models import LogEntry
from services.kernel.workflow.models import CaseEvent
from tests.services.kernel.workflow.conftest import World


def test_a_rewritten_opinion_is_named(world: World, settings: Any, tmp_path: Path) -> None:
    settings.LOG_HEADS = tmp_path / "heads"
    case = world.open()
    world.decide(case, world.wang)
    world.decide(case, world.qu)
    chain_logs(lag=dt.timedelta(0))
    assert LogEntry.objects.filter(log="case_events").count() == CaseEvent.objects.count() >= 3
    assert check_logs()[1] == []
    event = CaseEvent.objects.filter(case=case, act="decide").latest("pk")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE kernel_workflow_caseevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE kernel_workflow_caseevent SET opinion = '不同意' WHERE id = %s", [event.pk])
        cursor.execute("ALTER TABLE kernel_workflow_caseevent ENABLE TRIGGER USER")
    (finding,) = check_logs()[1]
    assert (finding.code, finding.subject, finding.row) == ("row_changed", "办件轨迹", event.pk)
