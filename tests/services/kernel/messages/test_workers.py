"""Several workers on one outbox, and one that is killed with -9 while the gateway is thinking."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house
from django.core.cache import cache
from django.db import connection

from services.integrations.sms import simulator as numbers
from services.integrations.sms.simulator import Simulator
from services.kernel.messages.actions import send_message
from services.kernel.messages.delivering import deliver_due
from services.kernel.messages.message_events import ENROLMENT_REGISTERED
from services.kernel.messages.models import Delivery, SendingRule
from tests.services.kernel.messages.conftest import APP, SECRET, VALUES, make_due, region

ROOT = Path(__file__).resolve().parents[4]
WORKER = "import django; django.setup(); from services.kernel.messages.delivering import deliver_due; deliver_due()"


@pytest.fixture
def gateway(live_city: str, settings: Any) -> Iterator[Simulator]:
    import datetime as dt

    cache.clear()
    SendingRule.objects.create(region=region("310000"), quiet_from=dt.time(0), quiet_to=dt.time(0), changed_by="test")
    with Simulator(app=APP, secret=SECRET, slow_s=20) as running:
        settings.SMS_URL, settings.SMS_APP, settings.SMS_SECRET = running.url, APP, SECRET
        settings.SMS_TIMEOUT_S, settings.INSIDE_HOSTS = 25, ["127.0.0.1"]
        yield running


def tell(*phones: str) -> None:
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, phones=phones)


def test_four_workers_send_each_message_once(gateway: Simulator) -> None:
    tell(*(f"138{number:08d}" for number in range(40)))
    together, counts = threading.Barrier(4), []

    def work() -> None:
        together.wait()
        try:
            counts.append(deliver_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 40
    assert len(gateway.journal.delivered) == len({phone for phone, _ in gateway.journal.delivered}) == 40
    assert set(gateway.journal.requests.values()) == {1}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_a_worker_killed_while_the_gateway_thinks_loses_and_doubles_nothing(gateway: Simulator) -> None:
    tell(numbers.SLOW)
    database = house.DATABASES["default"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "web.settings",
        "DATABASE_URL": f"postgresql:///{database['NAME']}?host={database['HOST']}&user={database['USER']}",
        "REDIS_URL": house.REDIS_URL,
        "QUANTU_KEYSTORE": str(house.KEYSTORE),
        "QUANTU_SMS_URL": gateway.url,
        "QUANTU_SMS_APP": APP,
        "QUANTU_SMS_SECRET": SECRET,
        "QUANTU_SMS_TIMEOUT": "25",
        "QUANTU_INSIDE_HOSTS": "127.0.0.1",
    }
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not gateway.journal.delivered:
            assert worker.poll() is None, "the worker ended by itself"
            assert time.monotonic() < end
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.wait()
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("sending", 1)
    assert deliver_due() == 0
    make_due()
    assert deliver_due() == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 2)
    assert gateway.journal.texts(numbers.SLOW) == [
        "家长您好，王小明已报名瑞金一路幼儿园，报名编号HP001。请于5月16日带材料到园验证。"
    ]
    assert gateway.journal.requests[str(row.pk)] == 2
