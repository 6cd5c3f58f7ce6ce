"""The rows of the catalogue on integrity, each with the remote signature service connected and through the command that verifies."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory

from services.access.actions import declare_roles, grant_role, record_audit
from services.access.models import AuditAct, AuditEntry, User
from services.access.queries import Caller, scope_of
from services.crypto import chain, signed_rows
from services.crypto.devices import sign_device_logs
from services.crypto.models import LogHead, RowSignature
from services.crypto.sm2 import new_key
from services.integrations.keyservice.client import RemoteKeys
from services.integrations.keyservice.simulator import Simulator

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def service(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Connect the signature service; no key of ours is anywhere near."""
    root = tmp_path / "house"
    (root / "web").mkdir(parents=True)
    (root / "run").write_text("run")
    (root / "web" / "urls.py").write_text("urls")
    for name in ("app-server.log", "database-server.log", "sudoers", "pg_hba.conf"):
        (root / name).write_text(f"{name}\n")
    settings.ROOT, settings.PROGRAM_MANIFEST, settings.LOG_HEADS = root, tmp_path / "manifest", tmp_path / "heads"
    settings.DEVICE_LOGS = [str(root / "app-server.log"), str(root / "database-server.log")]
    settings.DEVICE_CONTROLS = [str(root / "sudoers"), str(root / "pg_hba.conf")]
    settings.KEYSTORE, settings.SIGNING_KEYS = tmp_path / "none", tmp_path / "none"
    settings.KEYSTORE_MADE_HERE = settings.SIGNING_KEYS_MADE_HERE = False
    monkeypatch.setattr(chain, "LAG", dt.timedelta(0))
    signed_rows._known.clear()
    cache.clear()
    with Simulator(app="quantu", secret="s" * 40, folder=tmp_path / "remote") as simulator:
        settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP = simulator.url, "quantu"
        settings.KEY_SERVICE_SECRET, settings.INSIDE_HOSTS = "s" * 40, ["127.0.0.1"]
        yield simulator
    cache.clear()
    signed_rows._known.clear()


def report(capsys: Any, *arguments: str) -> dict[str, list[str]]:
    """Run the command and return what it found, by part; its exit code must agree."""
    code = 0
    try:
        call_command("verify", "--json", *arguments)
    except SystemExit as end:
        code = int(str(end.code))
    told = json.loads(capsys.readouterr().out)
    assert code == (0 if told["good"] else 1)
    return {section["key"]: [finding["text"] for finding in section["findings"]] for section in told["sections"]}


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@pytest.mark.covers("PRE-SEC-03", via="services.integrations.keyservice.client:RemoteKeys.verify")
def test_logs_and_access_control_of_the_machines_keep_their_integrity(
    service: Simulator, capsys: Any, settings: Any
) -> None:
    app, database, sudoers, hba = (Path(each) for each in (*settings.DEVICE_LOGS, *settings.DEVICE_CONTROLS))
    assert report(capsys, "devices", "--sign") == {"devices": []}
    assert service.acts["sign"] >= 3  # two logs and the list of files
    assert service.acts["verify"] >= 3
    with app.open("a") as file:
        file.write("somebody signed in\n")
    assert sign_device_logs() == 1
    assert report(capsys, "devices") == {"devices": []}
    for path, named in ((app, "app-server.log 第 0–15 字节"), (database, "database-server.log 第 0–20 字节")):
        kept = path.read_bytes()
        path.write_bytes(b"X" + kept[1:])
        (said,) = report(capsys, "devices")["devices"]
        assert said.startswith(named)
        assert said.endswith("被改动")
        path.write_bytes(kept)
    for path in (sudoers, hba):
        kept = path.read_bytes()
        path.write_bytes(kept + b"thief ALL\n")
        assert report(capsys, "devices")["devices"] == [f"文件被改动：{path}"]
        path.write_bytes(kept)
    assert report(capsys, "devices") == {"devices": []}


@pytest.mark.covers("PRE-SEC-04", via="services.crypto.programs:check_programs")
def test_programs_keep_their_integrity_and_come_from_whom_they_say(
    service: Simulator, capsys: Any, settings: Any
) -> None:
    root, manifest = Path(settings.ROOT), Path(settings.PROGRAM_MANIFEST)
    assert report(capsys, "programs", "--sign") == {"programs": []}
    assert service.acts["sign"]
    assert service.acts["verify"]
    (root / "web" / "urls.py").write_text("altered")
    (root / "web" / "door.py").write_text("added")
    (root / "run").unlink()
    assert report(capsys, "programs")["programs"] == [
        "文件不见了：run",
        "多出的文件：web/door.py",
        "文件被改动：web/urls.py",
    ]
    # somebody signs the altered programs with a key of their own: that is not where they come from
    forged = json.loads(manifest.read_text())
    forged["programs"] = {}
    forged["signature"] = new_key().sign(json.dumps(forged["programs"]).encode()).hex()
    manifest.write_text(json.dumps(forged))
    assert report(capsys, "programs")["programs"] == ["程序清单的签名无效或清单损坏，可能被替换"]


@pytest.mark.covers("PRE-SEC-05", via="services.crypto.signed_rows:holds")
def test_the_access_list_of_accounts_keeps_its_integrity(service: Simulator, capsys: Any) -> None:
    declare_roles()
    user = User.objects.create_user("keeper", password=PASSWORD)
    grant = grant_role(user=user, role="resident", granted_by="t", person_id=7)
    assert service.acts["sign"] == RowSignature.objects.count() > 3
    assert scope_of(Caller(user=user)).duties == {"self.view"}
    assert service.acts["verify"] == 2  # the role and the grant; the next time costs no question
    scope_of(Caller(user=user))
    assert service.acts["verify"] == 2
    assert report(capsys, "rights") == {"rights": []}
    sql("UPDATE access_grant SET role_id = 'city_manager', to_day = NULL WHERE id = %s", grant.pk)
    assert scope_of(Caller(user=user)).duties == frozenset()
    assert AuditEntry.objects.get(act="tampered").detail["row"] == str(grant.pk)
    assert report(capsys, "rights")["rights"] == ["授权“keeper city_manager”与签名不符，可能被绕过系统改动"]
    sql("UPDATE access_grant SET role_id = 'resident' WHERE id = %s", grant.pk)
    sql("UPDATE access_role SET duties = '{settings.write}' WHERE key = 'resident'")
    assert scope_of(Caller(user=user)).duties == frozenset()
    assert report(capsys, "rights")["rights"] == ["角色“居民”与签名不符，可能被绕过系统改动"]
    sql("DELETE FROM access_grant WHERE id = %s", grant.pk)
    assert f"授权 {grant.pk} 被绕过系统删除" in report(capsys, "rights")["rights"]


@pytest.mark.covers("PRE-SEC-07", via="services.crypto.chain_checks:check_logs")
def test_what_people_sign_in_by_and_logs_of_business_keep_their_integrity(service: Simulator, capsys: Any) -> None:
    declare_roles()
    user = User.objects.create_user("keeper", password=PASSWORD)
    thief = User.objects.create_user("thief", password="another password")
    rows = [record_audit(act=AuditAct.LEDGER_EXPORTED, actor="keeper", detail={"n": n}) for n in range(5)]
    assert report(capsys, "accounts", "logs") == {"accounts": [], "logs": []}
    assert LogHead.objects.filter(log="audit", size=5).exists()
    request = RequestFactory().post("/sign-in")
    assert authenticate(request, username="keeper", password=PASSWORD) == user
    sql("UPDATE access_user SET password = %s WHERE id = %s", thief.password, user.pk)
    assert authenticate(request, username="keeper", password="another password") is None
    assert report(capsys, "accounts")["accounts"] == ["账号“keeper”与签名不符，可能被绕过系统改动"]
    sql("UPDATE access_auditentry SET actor = 'thief' WHERE id = %s", rows[1].pk)
    sql("DELETE FROM access_auditentry WHERE id = %s", rows[3].pk)
    said = report(capsys, "logs")["logs"]
    assert [text[: text.index("被")] for text in said] == [f"记录 {rows[1].pk} ", f"记录 {rows[3].pk} "]
    sql("UPDATE crypto_loghead SET root = sha256('x') WHERE log_id = 'audit' AND number = 1")
    assert any("签名无效" in text for text in report(capsys, "logs")["logs"])


def test_no_key_is_kept_here_while_the_service_holds_them(service: Simulator, settings: Any) -> None:
    from services.crypto.house import house_keys

    assert isinstance(house_keys(), RemoteKeys)
    assert not Path(settings.SIGNING_KEYS).exists()
