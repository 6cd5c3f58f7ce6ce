"""A collector that is killed loses nothing and doubles nothing, whatever is being written meanwhile and in whatever order."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction

from services.access.actions import record_audit
from services.access.models import AuditAct, AuditEntry
from services.kernel.logs import collecting, machine
from services.kernel.logs.collecting import collect_logs
from services.kernel.logs.models import LogLine, Mark

KILLS = 8


def aside(work: Callable[[], None]) -> int:
    """Run work in a process of its own, with connections of its own, and return its number."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    return child


def write() -> None:
    """Write audit entries from several threads, in transactions that end out of order or not at all."""

    def one(number: int) -> None:
        dice = random.Random(number)
        for _ in range(40):
            try:
                with transaction.atomic():
                    for _ in range(dice.randint(1, 4)):
                        record_audit(act=AuditAct.SIGN_OUT, actor=f"u{number}")
                        time.sleep(dice.random() / 200)
                    if dice.random() < 0.2:
                        raise KeyError
            except KeyError:
                continue
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def collect() -> None:
    while True:
        collect_logs(lag=dt.timedelta(milliseconds=20))


@pytest.mark.django_db(transaction=True)
def test_a_killed_collector_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(collecting, "BATCH", 3)
    monkeypatch.setattr(machine, "MOST_BYTES", 400)
    log = tmp_path / "city.log"
    line = '{{"event": "request", "id": "r{0}", "method": "POST", "route": "x", "status": 302, "ms": 4.0}}\n'
    log.write_text("".join(line.format(number) for number in range(300)))
    settings.DEVICE_LOGS = [str(log)]
    writer, dice, midway = aside(write), random.Random(7), 0
    for number in range(10 * KILLS):
        if number >= KILLS and midway:
            break
        child = aside(collect)
        time.sleep(0.05 + dice.random() / 4)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        midway += LogLine.objects.count() > 0
    os.waitpid(writer, 0)
    for _ in range(4):
        collect_logs(lag=dt.timedelta(0))
    while machine.collect_machine_lines():
        pass
    written = sorted(str(pk) for pk in AuditEntry.objects.values_list("pk", flat=True))
    collected = Counter(LogLine.objects.filter(source="audit").values_list("source_id", flat=True))
    assert midway  # it was at work when it was killed
    assert len(written) > 100
    assert sorted(collected) == written
    assert set(collected.values()) == {1}
    requests = Counter(LogLine.objects.filter(source="machine").values_list("request_id", flat=True))
    assert requests == Counter(f"r{number}" for number in range(300))
    assert Mark.objects.get(key="audit").lines == len(written)
