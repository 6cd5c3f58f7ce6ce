"""What people sign in by and what they upload lies sealed: in the database, on the disk, by keys of the platform's service."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client

from layers.scenes.models import Scene
from services.access.demo import DEMO_PASSWORD, make_demo_accounts
from services.access.models import Role, User
from services.access.passwords import opened_hash
from services.access.signin.onetime import STEP_S, code_at
from services.crypto import signed_rows
from services.facilities.models import Facility
from services.integrations.keyservice.simulator import Mood, Simulator
from services.kernel.documents.models import Attachment
from tests.services.kernel.documents.files import pdf

PERSON = b"310101201809150018"
PHONE = "13800138000"


@pytest.fixture
def service(tmp_path: Path, settings: Any) -> Iterator[Simulator]:
    """Connect the key service; no key of ours is anywhere near."""
    settings.KEYSTORE, settings.SIGNING_KEYS = tmp_path / "none", tmp_path / "none"
    settings.KEYSTORE_MADE_HERE = settings.SIGNING_KEYS_MADE_HERE = False
    settings.MEDIA_ROOT = tmp_path / "media"
    signed_rows._known.clear()
    cache.clear()
    with Simulator(app="quantu", secret="s" * 40, folder=tmp_path / "remote") as simulator:
        settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP = simulator.url, "quantu"
        settings.KEY_SERVICE_SECRET, settings.INSIDE_HOSTS = "s" * 40, ["127.0.0.1"]
        yield simulator
    cache.clear()
    signed_rows._known.clear()


@pytest.fixture
def place(city: None, service: Simulator) -> Facility:
    Role.objects.all().delete()  # those of the city are signed by keys that are nowhere near
    Scene.objects.all().delete()  # their files lie where the city was made
    make_demo_accounts()
    return Facility.objects.filter(
        region__versions__path__startswith="310000.310101.",
        region__versions__edition__state="published",
        status="open",
        retired_at=None,
    ).first()


def signed_in(username: str) -> Client:
    client = Client()
    client.post("/sign-in", {"username": username, "password": DEMO_PASSWORD})
    return client


def tables() -> str:
    """Return every row of every table as text, as one who stole the database reads it."""
    told = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(access|crypto|kernel|django)_'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{name}" AS t')
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


def body(answer: Any) -> bytes:
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    for close in answer._resource_closers:  # ``close`` would end the transaction of the test as well
        close()
    return content


@pytest.mark.covers("PRE-SEC-06", via="services.integrations.keyservice.client:RemoteKeys.seal")
def test_identity_and_files_lie_sealed_by_the_key_service_and_come_back_to_whom_they_are_for(
    place: Facility, service: Simulator, settings: Any, capsys: Any
) -> None:
    # 结构化数据: what somebody signs in by, through the pages
    clerk = signed_in("qu")
    user = User.objects.get(username="qu")
    assert opened_hash(user.password).rpartition("$")[2]
    secret = re.findall(r'class="token">([A-Z2-7 ]+)<', clerk.get("/account/second-step").content.decode())[0]
    secret = secret.replace(" ", "")
    assert clerk.post("/account/second-step", {"code": code_at(secret, int(time.time()) // STEP_S)}).status_code == 200
    assert clerk.post("/desk/messages/phone", {"phone": PHONE}).status_code in (200, 302)
    sealed_texts, stolen = service.acts["seal"], tables()
    assert sealed_texts >= 3
    for plain in (DEMO_PASSWORD, opened_hash(user.password).rpartition("$")[2], secret, PHONE):
        assert plain not in stolen

    # 非结构化数据: a paper with somebody's number, and a list of addresses
    paper = pdf(
        lambda document: setattr(document.Root, "Note", document.make_stream(PERSON * 9_000)), compress_streams=False
    )
    assert PERSON in paper
    upload = SimpleUploadedFile("证照.pdf", paper)
    asked = {"kind": "facilities", "owner_id": str(place.pk), "purpose": "licence", "file": upload}
    assert clerk.post("/desk/files/upload", asked).status_code == 302
    listed = SimpleUploadedFile("名单.csv", b"\xe5\x9c\xb0\xe5\x9d\x80,\xe5\x8f\xb7\n" + b"a," + PERSON + b"\n")
    assert clerk.post("/tools/standardise/batches", {"file": listed}).status_code in (200, 302)
    assert service.acts["seal"] >= sealed_texts + 2  # a data key for each file
    on_disk = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert {path.relative_to(settings.MEDIA_ROOT).parts[0] for path in on_disk} == {"attachments", "lists"}
    for path in on_disk:
        assert PERSON not in path.read_bytes()
        assert b"%PDF" not in path.read_bytes()
    assert not Path(settings.KEYSTORE).exists()

    # whom it is for gets it back, whole and in part, by the service; others do not
    row = Attachment.objects.get()
    address, opened = f"/files/{row.pk}/content", service.acts["open"]
    assert body(clerk.get(address)) == paper
    assert body(clerk.get(address, headers={"Range": "bytes=70000-139999"})) == paper[70000:140000]
    assert service.acts["open"] >= opened + 2
    assert signed_in("jumin").get(address).status_code in (403, 404)
    assert Client().get(address).status_code in (302, 403, 404)
    again = signed_in("qu")  # the password is checked under its seal, then the code is asked for
    assert again.get("/account")["Location"].startswith("/sign-in")
    call_command("verify", "secrets", "files", "--all")
    assert "附件等文件：通过，共核查 2 项" in capsys.readouterr().out

    # while the service is away nothing opens, and nothing is kept plain instead
    service.mood = Mood.SILENT
    assert clerk.get(address).status_code == 503
    asked["file"] = SimpleUploadedFile("二.pdf", paper + b"\n")
    assert clerk.post("/desk/files/upload", asked, headers={"X-Fragment": "files"}).status_code == 503
    assert sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()) == sorted(on_disk)
    assert Attachment.objects.count() == 1
