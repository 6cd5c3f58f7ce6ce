"""What the scanner says of a file decides who may open it; a scanner or a worker that goes away loses nothing."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from geo.errors import Forbidden
from services.integrations.scanning.simulator import EICAR, Mood, Simulator
from services.kernel.documents import actions
from services.kernel.documents.actions import attach_file, scan_attachment, scan_waiting
from services.kernel.documents.models import Attachment, ScanState
from services.kernel.documents.queries import Held, content_of
from tests.services.kernel.documents.conftest import KEEPER
from tests.services.kernel.documents.files import pdf, picture

Upload = Callable[[bytes], Path]
ROOT = Path(__file__).resolve().parents[4]


def infected() -> bytes:
    def change(document: Any) -> None:
        document.Root.Note = document.make_stream(EICAR)

    return pdf(change, compress_streams=False)


def attach(upload: Upload, data: bytes) -> Held:
    source = upload(data)
    return attach_file(kind="thing", owner_id="1", purpose="paper", source=source, name="材料", scope=KEEPER)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Hold the queue still, and return the ids that were put into it."""
    ids: list[str] = []
    monkeypatch.setattr(actions, "enqueue_scan", lambda one: ids.append(str(one)))
    return ids


@pytest.fixture
def scanner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Connect the house to a simulator."""
    with Simulator() as simulator:
        monkeypatch.setattr(settings, "SCANNER", simulator.address)
        monkeypatch.setattr(settings, "SCANNER_SECONDS", 5.0)
        yield simulator


@pytest.mark.django_db
def test_without_a_scanner_files_stay_unscanned_until_there_is_one(
    upload: Upload, queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SCANNER", "")
    held = attach(upload, pdf())
    assert held.row.state == ScanState.UNSCANNED
    assert scan_waiting() == 0
    assert scan_attachment(attachment_id=held.row.pk) is None
    with Simulator() as simulator:
        monkeypatch.setattr(settings, "SCANNER", simulator.address)
        assert scan_waiting() == 1
        assert queued == [str(held.row.pk)]
        assert scan_attachment(attachment_id=held.row.pk) is ScanState.CLEAN
        assert scan_attachment(attachment_id=held.row.pk) is None  # the same task, delivered twice
    assert len(simulator.received) == 1


@pytest.mark.django_db
def test_a_virus_is_found_and_nobody_opens_it_again(upload: Upload, queued: list[str], scanner: Simulator) -> None:
    held = attach(upload, infected())
    assert held.row.state == ScanState.WAITING
    assert scan_attachment(attachment_id=held.row.pk) is ScanState.REFUSED
    with pytest.raises(Forbidden, match="发现了病毒（Eicar-Signature）"):
        content_of(attachment_id=held.row.pk, scope=KEEPER)


@pytest.mark.django_db
@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.HANGS_UP, Mood.BUSY])
def test_a_scanner_in_trouble_leaves_the_file_waiting_and_is_asked_again(
    upload: Upload, queued: list[str], scanner: Simulator, mood: Mood
) -> None:
    held = attach(upload, infected())
    scanner.mood = mood
    assert scan_attachment(attachment_id=held.row.pk) is ScanState.WAITING
    assert scan_waiting() == 0  # it was asked a moment ago
    assert scan_waiting(now=timezone.now() + datetime.timedelta(minutes=5)) == 1
    scanner.mood = Mood.WELL
    assert scan_attachment(attachment_id=held.row.pk) is ScanState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_scanned_by_a_worker(upload: Upload, scanner: Simulator, worker: None) -> None:
    clean, bad = attach(upload, pdf()), attach(upload, infected())
    for _ in range(150):
        states = dict(Attachment.objects.values_list("pk", "state"))
        if "waiting" not in states.values():
            break
        time.sleep(0.1)
    assert states == {clean.row.pk: "clean", bad.row.pk: "refused"}


KILLED = """
import os, sys
import django
django.setup()
from django.conf import settings
from django.db import connections
settings.DATABASES["default"]["NAME"] = connections["default"].settings_dict["NAME"] = sys.argv[1]
settings.MEDIA_ROOT = sys.argv[2]
settings.SCANNER = sys.argv[3]
from services.kernel.documents.actions import scan_attachment
scan_attachment(attachment_id=sys.argv[4])
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_scan_loses_nothing(
    upload: Upload, queued: list[str], scanner: Simulator, media: Path
) -> None:
    held = attach(upload, infected())
    scanner.mood = Mood.SILENT
    database = str(connection.settings_dict["NAME"])
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, database, str(media), scanner.address, str(held.row.pk)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    try:
        for _ in range(300):
            if scanner.received:
                break
            time.sleep(0.1)
        assert scanner.received, "the child never asked the scanner: the test would prove nothing"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    held.row.refresh_from_db()
    assert held.row.state == ScanState.WAITING
    assert held.row.scan_tried_at is not None
    assert scan_waiting(now=timezone.now() + datetime.timedelta(minutes=5)) == 1
    scanner.mood = Mood.WELL
    assert scan_attachment(attachment_id=held.row.pk) is ScanState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_file_agree(upload: Upload, queued: list[str], scanner: Simulator) -> None:
    held = attach(upload, picture())
    said: list[Any] = []

    def work() -> None:
        said.append(scan_attachment(attachment_id=held.row.pk))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {ScanState.CLEAN, None}
    assert Attachment.objects.get().state == ScanState.CLEAN
