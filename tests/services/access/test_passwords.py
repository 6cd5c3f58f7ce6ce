"""Passwords lie under a seal: nobody who copies the table can try any, keys rotate without signing anyone out, old hashes go in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from geo.jobs.actions import run_job, start_job
from services.access.models import User
from services.access.passwords import FIELD, NOBODY, SealedHasher, is_sealed, opened_hash
from services.access.signed import ACCOUNT
from services.access.signin.actions import SECRET_FIELD, renew_recovery_codes, take_code
from services.access.signin.models import RecoveryCode, SecondStep
from services.access.signin.onetime import recovery_digest
from services.crypto import signed_rows
from services.crypto.keystore import make_keystore
from services.crypto.port import Purpose
from services.crypto.rotation import JOB, drop_key, rotate_keys
from services.crypto.sealing import newest_id, seal, unseal
from services.crypto.secret_checks import check_secrets
from services.crypto.signed_rows import holds

PASSWORD = "correct horse battery"
ME = "/account"
ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keystore(tmp_path: Any, settings: Any) -> None:
    settings.KEYSTORE, settings.MEDIA_ROOT = tmp_path / "keystore", tmp_path / "media"
    make_keystore(settings.KEYSTORE)
    signed_rows._known.clear()
    cache.clear()


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM access_user")
        return str(cursor.fetchone()[0])


def signs_in(client: Client, password: str = PASSWORD) -> bool:
    return client.post("/sign-in", {"username": "keeper", "password": password}).status_code == 302


def test_what_lies_in_the_table_is_no_hash_and_opens_by_the_password_alone() -> None:
    user = User.objects.create_user("keeper", password=PASSWORD)
    kept = stored()
    assert is_sealed(kept)
    inner = opened_hash(kept)
    assert inner.startswith("pbkdf2_sha256$1000$")
    assert inner.rpartition("$")[2] not in kept
    assert user.check_password(PASSWORD)
    assert not user.check_password(PASSWORD + " ")
    assert len(kept) < 400


def test_keys_rotate_and_nobody_is_signed_out() -> None:
    User.objects.create_user("keeper", password=PASSWORD)
    client, old, before = Client(), newest_id(Purpose.SEAL), stored()
    assert signs_in(client)
    _, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
    assert run_job(job_id=job.pk).state == "done"
    assert stored() != before
    drop_key(key_id=old)
    user = User.objects.get()
    assert holds(ACCOUNT, user)
    assert client.get(ME).status_code == 200
    assert signs_in(Client())
    user.set_password("another horse battery")
    user.save()
    assert client.get(ME).status_code == 302


@pytest.mark.parametrize("how", ["job", "sign in"])
def test_a_hash_of_before_is_sealed_by_the_job_and_by_signing_in(how: str) -> None:
    user = User(username="keeper", password=PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6))
    user.save()
    assert check_secrets(everything=True)[1] == []
    assert stored() == user.password  # checking writes nothing
    if how == "job":
        run_job(job_id=start_job(kind=JOB, actor="t").pk)
    else:
        assert signs_in(Client())
    assert is_sealed(stored())
    assert holds(ACCOUNT, User.objects.get())
    assert signs_in(Client())


def test_recovery_codes_lie_sealed_and_open_after_a_rotation_those_of_before_too() -> None:
    user = User.objects.create_user("keeper", password=PASSWORD)
    SecondStep.objects.create(user=user, secret="", confirmed_at=timezone.now())
    codes = renew_recovery_codes(user=user)
    sealed = list(RecoveryCode.objects.order_by("pk"))
    plain = recovery_digest(codes[1])
    assert not any(recovery_digest(code) in str(row.digest) for code, row in zip(codes, sealed, strict=True))
    RecoveryCode.objects.filter(pk=sealed[1].pk).update(digest=plain)
    SecondStep.objects.update(secret=seal("A" * 32, field=SECRET_FIELD, owner=SecondStep.objects.get().pk))
    assert take_code(user=user, code=codes[0])
    _, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
    assert run_job(job_id=job.pk).state == "done"
    assert not RecoveryCode.objects.filter(digest=plain).exists()
    assert [take_code(user=user, code=code) for code in (codes[0], codes[1], codes[1], codes[2])] == [
        False, True, False, True,
    ]  # fmt: skip


def test_rotation_makes_no_altered_account_right() -> None:
    User.objects.create_user("keeper", password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_user SET password = %s", [SealedHasher().encode("thief's", "salt" * 6)])
    _, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
    assert run_job(job_id=job.pk).state == "done"
    assert not holds(ACCOUNT, User.objects.get())
    assert not signs_in(Client(), "thief's")


def test_a_hash_that_needs_more_rounds_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_user("keeper", password=PASSWORD)
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1500)
    hasher = SealedHasher()
    assert hasher.must_update(user.password)
    hasher.harden_runtime(PASSWORD, user.password)
    assert user.check_password(PASSWORD)
    assert opened_hash(stored()).startswith("pbkdf2_sha256$1500$")
    assert not hasher.must_update(stored())
    assert hasher.safe_summary(stored()) == {"algorithm": "pbkdf2_sha256", "iterations": 1500}
    assert unseal(stored().rpartition("$")[2], field=FIELD, owner=NOBODY)


def test_outside_of_tests_a_hash_takes_the_rounds_of_django() -> None:
    asked = (
        "import django; django.setup();"
        "from services.access.passwords import SealedHasher; print(SealedHasher.inner.iterations)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "web.settings"}
    said = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(said.stdout) >= 1_000_000
