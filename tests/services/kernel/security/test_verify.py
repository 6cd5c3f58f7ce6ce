"""One command checks everything, says in Chinese what is wrong, and ends with a code a script can read."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection

from geo.jobs.actions import run_job, start_job
from geo.kept import keep_file
from services.access.actions import declare_roles, grant_role, record_audit
from services.access.models import AuditAct, AuditEntry, User
from services.crypto import chain, signed_rows
from services.crypto.actions import keep_secrets
from services.crypto.identifiers import new_id
from services.kernel.security.actions import CHECK_JOB
from services.kernel.security.checking import PARTS


@pytest.fixture(autouse=True)
def house(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "house"
    (root / "web").mkdir(parents=True)
    (root / "web" / "urls.py").write_text("urls")
    (root / "log").write_text("line\n")
    (root / "passwd").write_text("root\n")
    settings.ROOT, settings.PROGRAM_MANIFEST = root, tmp_path / "manifest"
    settings.DEVICE_LOGS, settings.DEVICE_CONTROLS = [str(root / "log")], [str(root / "passwd")]
    settings.LOG_HEADS, settings.KEYSTORE = tmp_path / "heads", tmp_path / "keystore"
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(chain, "LAG", dt.timedelta(0))
    signed_rows._known.clear()
    cache.clear()
    return root


def verified(capsys: Any, *arguments: str) -> tuple[int, str]:
    code = 0
    try:
        call_command("verify", *arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@pytest.fixture
def filled(tmp_path: Path, settings: Any) -> User:
    declare_roles()
    user = User.objects.create_user("keeper", password="correct horse battery")
    grant_role(user=user, role="resident", granted_by="t", person_id=7)
    record_audit(act=AuditAct.SIGN_IN, actor="keeper")
    keep_secrets(owner=new_id(), values={"phone": "13800000000"})
    list_file = tmp_path / "list"
    list_file.write_text("[]")
    keep_file(list_file, Path(settings.MEDIA_ROOT) / "lists" / "kept.jsonl")
    return user


@pytest.mark.django_db
class TestCommand:
    def test_all_is_well_after_the_programs_were_signed(self, filled: User, capsys: Any) -> None:
        code, out = verified(capsys)
        assert code == 1
        assert "还没有签过程序清单" in out
        code, out = verified(capsys, "--sign", "--all")
        assert (code, out.splitlines()[-1]) == (0, "全部通过。")
        code, out = verified(capsys, "--json")
        report = json.loads(out)
        assert (code, report["good"]) == (0, True)
        assert [section["key"] for section in report["sections"]] == list(PARTS)
        assert all(section["looked_at"] for section in report["sections"])

    @pytest.mark.parametrize(
        ("part", "tamper", "said"),
        [
            ("rights", "UPDATE access_grant SET role_id = 'city_manager'", "授权“keeper city_manager”与签名不符"),
            (
                "rights",
                "UPDATE access_role SET duties = '{settings.write}' WHERE key = 'resident'",
                "角色“居民”与签名不符",
            ),
            ("accounts", "UPDATE access_user SET password = 'md5$x$y'", "账号“keeper”与签名不符"),
            ("logs", "UPDATE access_auditentry SET actor = 'x' WHERE act = 'sign_in'", "被改动"),
            ("logs", "DELETE FROM crypto_rowsignature WHERE kind = 'grant'", "被删除"),
            ("secrets", "UPDATE crypto_secret SET owner = gen_random_uuid()", "打不开"),
        ],
    )
    def test_what_was_altered_in_the_database_is_named(
        self, filled: User, capsys: Any, part: str, tamper: str, said: str
    ) -> None:
        assert verified(capsys, "--sign")[0] == 0
        sql(tamper)
        code, out = verified(capsys, part)
        assert code == 1
        assert said in out
        others = [each for each in PARTS if each not in {part, "rights", "logs"}]
        assert verified(capsys, *others)[0] == 0

    def test_what_was_altered_on_the_disk_is_named(self, house: Path, filled: User, capsys: Any) -> None:
        assert verified(capsys, "--sign")[0] == 0
        (house / "web" / "urls.py").write_text("other")
        code, out = verified(capsys, "programs")
        assert (code, "文件被改动：web/urls.py" in out) == (1, True)
        (house / "passwd").write_text("root\nthief\n")
        (house / "log").write_text("LINE\n")
        code, out = verified(capsys, "devices")
        assert code == 1
        assert "passwd" in out
        assert "log 第 0–5 字节" in out

    def test_rows_that_were_looked_into_are_signed_again_and_that_is_written_down(
        self, filled: User, capsys: Any
    ) -> None:
        verified(capsys, "--sign")
        sql("UPDATE access_user SET is_staff = true")
        assert verified(capsys, "accounts")[0] == 1
        assert verified(capsys, "accounts", "--sign-rows", "account")[0] == 0
        assert AuditEntry.objects.filter(act="rows_signed", detail__kind="account").exists()

    def test_what_cannot_be_checked_or_does_not_exist(self, filled: User, settings: Any, capsys: Any) -> None:
        for wrong in (["rubbish"], ["--sign-rows", "rubbish"]):
            with pytest.raises(CommandError):
                call_command("verify", *wrong)
        verified(capsys, "--sign")
        settings.SIGNING_KEYS, settings.SIGNING_KEYS_MADE_HERE = settings.SIGNING_KEYS / "absent", False
        code, out = verified(capsys, "rights")
        assert code == 1
        assert "读不到密钥库" in out


@pytest.mark.django_db
def test_the_check_of_the_day_is_a_job_that_reports(filled: User, capsys: Any) -> None:
    verified(capsys, "--sign")
    job = run_job(job_id=start_job(kind=CHECK_JOB).pk)
    assert (job.state, job.result["good"]) == ("done", True)
    sql("UPDATE access_grant SET to_day = '2099-01-01'")
    job = run_job(job_id=start_job(kind=CHECK_JOB).pk)
    assert (job.state, job.result["good"]) == ("done", False)
