"""Rotation seals everything anew in the background, survives kill -9, names what does not open, and guards old keys."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house
from django.core.management import CommandError, call_command
from django.db import connection

from geo.errors import Conflict, NotFound
from geo.jobs.actions import revive_jobs, run_job, start_job
from geo.jobs.models import Job
from services.access.models import AuditEntry
from services.crypto.actions import keep_secrets
from services.crypto.house import house_keys
from services.crypto.identifiers import new_id
from services.crypto.keystore import make_keystore
from services.crypto.models import Secret
from services.crypto.port import Purpose
from services.crypto.queries import owners_with, reveal_secrets
from services.crypto.rotation import JOB, drop_key, rotate_keys, rows_left, sealed_tables, uses_of_keys
from services.crypto.sealing import blind_index, newest_id

ROOT = Path(__file__).resolve().parents[3]
NUMBER = "310101201809150018"


@pytest.fixture(autouse=True)
def keystore(tmp_path: Any, settings: Any) -> Any:
    settings.KEYSTORE, settings.MEDIA_ROOT = tmp_path / "keystore", tmp_path / "media"
    make_keystore(settings.KEYSTORE)
    return settings.KEYSTORE


def filled(count: int) -> list[Any]:
    owners = [new_id() for _ in range(count)]
    for owner in owners:
        keep_secrets(
            owner=owner,
            values={"identity": NUMBER, "children.0.identity": f"{NUMBER}{owner}"},
            found_by={"children.0.identity": "identity"},
        )
    return owners


@pytest.mark.django_db
class TestRotation:
    def test_all_are_sealed_anew_and_still_found_while_and_after(self) -> None:
        owners = filled(5)
        old = {purpose: newest_id(purpose) for purpose in Purpose}
        made, job = rotate_keys(actor="t")
        assert {note.purpose for note in made} == {Purpose.SEAL, Purpose.BLIND}
        filled(1)  # written by the new keys before the work begins
        assert set(owners) < set(owners_with(field="identity", value=NUMBER))
        with pytest.raises(Conflict, match="还在进行"):
            rotate_keys(actor="t")
        with pytest.raises(Conflict, match="还有 10 条"):
            drop_key(key_id=old[Purpose.SEAL])
        job = run_job(job_id=job.pk)
        assert (job.state, job.result["renewed"], job.result["broken"]) == ("done", 10, [])
        assert set(Secret.objects.values_list("key_id", flat=True)) == {newest_id(Purpose.SEAL)}
        found = Secret.objects.filter(blind=blind_index(NUMBER, field="identity"), field="identity")
        assert set(owners) < set(found.values_list("owner", flat=True))
        assert list(rows_left()) == []
        for key in (old[Purpose.SEAL], old[Purpose.BLIND]):
            drop_key(key_id=key)
        assert not {note.id for note in house_keys().notes()} & {old[Purpose.SEAL], old[Purpose.BLIND]}
        for owner in owners:
            expected = {"identity": NUMBER, "children.0.identity": f"{NUMBER}{owner}"}
            assert reveal_secrets(owner=owner) == expected
            assert owners_with(field="identity", value=f"{NUMBER}{owner}") == [owner]

    def test_the_blind_key_alone(self) -> None:
        (owner,) = filled(1)
        before = dict(Secret.objects.values_list("field", "ciphertext"))
        _, job = rotate_keys(actor="t", purposes=[Purpose.BLIND])
        run_job(job_id=job.pk)
        assert dict(Secret.objects.values_list("field", "ciphertext")) == before
        assert Secret.objects.filter(blind=blind_index(NUMBER, field="identity")).count() == 1
        assert list(rows_left()) == []

    def test_one_that_does_not_open_is_named_and_keeps_its_key(self) -> None:
        owners = filled(3)
        broken = Secret.objects.filter(owner=owners[1], field="identity")
        broken.update(ciphertext=broken.get().ciphertext[:-8] + "AAAAAAA=")
        old = newest_id(Purpose.SEAL)
        _, job = rotate_keys(actor="t")
        job = run_job(job_id=job.pk)
        assert job.result["renewed"] == 5
        assert [each["row"] for each in job.result["broken"]] == [str(broken.get().pk)]
        with pytest.raises(Conflict, match="还有 1 条"):
            drop_key(key_id=old)
        assert uses_of_keys() == {newest_id(Purpose.SEAL): 5, old: 1}

    def test_a_keystore_that_is_gone_ends_the_work_and_writes_nothing(self, keystore: Any, settings: Any) -> None:
        filled(2)
        before = list(Secret.objects.order_by("pk").values_list("ciphertext", flat=True))
        _, job = rotate_keys(actor="t")
        kept = keystore.read_text()
        keystore.unlink()
        settings.KEYSTORE_MADE_HERE = False
        job = run_job(job_id=job.pk)
        assert (job.state, job.error["code"]) == ("failed", "keystore_missing")
        assert list(Secret.objects.order_by("pk").values_list("ciphertext", flat=True)) == before
        keystore.touch(0o600)
        keystore.write_text(kept)
        assert run_job(job_id=start_job(kind=JOB).pk).result["renewed"] == 4

    def test_keys_that_may_not_be_dropped(self) -> None:
        for purpose in Purpose:
            with pytest.raises(Conflict):
                drop_key(key_id=newest_id(purpose))
        with pytest.raises(NotFound):
            drop_key(key_id="unknown")

    def test_the_command(self, capsys: Any) -> None:
        filled(2)
        old = newest_id(Purpose.SEAL)
        call_command("keys", "rotate", "--here")
        call_command("keys", "list")
        out = capsys.readouterr().out
        assert "重新加密 4 条" in out
        assert f"{newest_id(Purpose.SEAL)}  加密" in out
        call_command("keys", "drop", old)
        assert list(AuditEntry.objects.order_by("id").values_list("act", flat=True)) == ["keys_rotated", "key_dropped"]
        for wrong in (["drop"], ["drop", old], ["rotate", "rubbish"]):
            with pytest.raises(CommandError):
                call_command("keys", *wrong)


def test_every_package_that_seals_says_what_rotation_must_seal_anew() -> None:
    import re

    declared = {table.renew.__module__.rpartition(".")[0] for table in sealed_tables()}
    sealing = set()
    for path in (ROOT / "services").rglob("*.py"):
        package = ".".join(path.relative_to(ROOT).parts[:-1])
        if re.search(r"(?<![\w.])seal\(", path.read_text()) and not package.startswith("services.crypto"):
            sealing.add(package)
    # Keys of others, what travels, and archives that people take away with them: nothing of these lies here to be sealed anew.
    elsewhere = {"services.integrations.keyservice", "services.integrations.gateway", "services.kernel.logs"}
    assert sealing <= declared | elsewhere, "declare SEALED in a sealed.py"


WORKER = """
import django, time
django.setup()
from services.crypto import rotation
rotation.BATCH = 5
batch = rotation._renew_batch
def slow(*arguments):
    time.sleep(0.05)
    return batch(*arguments)
rotation._renew_batch = slow
from geo.jobs.actions import run_job
from geo.jobs.models import Job
run_job(job_id=Job.objects.get().pk)
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_nothing_and_the_next_one_goes_on(keystore: Any) -> None:
    owners = filled(100)
    _, job = rotate_keys(actor="t")
    database = house.DATABASES["default"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "web.settings",
        "DATABASE_URL": f"postgresql:///{database['NAME']}?host={database['HOST']}&user={database['USER']}",
        "REDIS_URL": house.REDIS_URL,
        "QUANTU_KEYSTORE": str(keystore),
        "QUANTU_SIGNING_KEYS": str(house.SIGNING_KEYS),
    }
    newest = newest_id(Purpose.SEAL)
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment)
    try:
        end = time.monotonic() + 60
        while not Secret.objects.filter(key_id=newest).exists():
            assert worker.poll() is None, "the worker ended by itself"
            assert time.monotonic() < end
            time.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.wait()
    done = Secret.objects.filter(key_id=newest).count()
    assert 0 < done < 200
    assert Job.objects.get().cursor["renewed"] == done  # the place and the work are of one transaction
    Job.objects.update(heartbeat_at="2026-01-01T00:00Z")
    revive_jobs()
    job = run_job(job_id=job.pk)
    assert (job.state, job.attempts, job.result["seen"], job.result["renewed"]) == ("done", 2, 200, 200)
    assert all(reveal_secrets(owner=owner)["identity"] == NUMBER for owner in owners)
    assert len(owners_with(field="identity", value=NUMBER)) == 100
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT split_part(ciphertext, ':', 2)) FROM crypto_secret")
        assert cursor.fetchone()[0] == 1
