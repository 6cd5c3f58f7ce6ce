"""The HTTP API of large lists: upload, progress, result, stop, delete; who may, what is refused, and what the audit keeps."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from geo.addresses.standardising.models import Batch
from geo.crs import System
from geo.jobs.actions import run_job
from services.access.actions import create_api_key, declare_roles, grant_role
from services.access.models import AuditEntry, User
from tests.geo.addresses.standardising.conftest import messy_lines
from web.api import batches
from web.api.batches import BatchesOut, BatchOut

pytestmark = pytest.mark.usefixtures("city")
ROOT = "/api/v1/addresses/batches"


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", password="not-a-real-one")


@pytest.fixture
def signed_in(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, lines: list[str], *, status: int = 202, name: str = "名单.csv", **fields: Any) -> Any:
    data = "\n".join(lines).encode()
    answer = client.post(ROOT, {"file": SimpleUploadedFile(name, data), **fields})
    assert answer.status_code == status, answer.content
    if status == 202:
        assert answer["Location"] == f"{ROOT}/{answer.json()['id']}"
    return answer.json()


def worked(made: dict[str, Any]) -> str:
    job = Batch.objects.get(pk=made["id"]).job
    assert job
    run_job(job_id=job.pk)
    return f"{ROOT}/{made['id']}"


def test_from_upload_to_result(signed_in: Client) -> None:
    made = upload(signed_in, messy_lines(300))
    BatchOut.model_validate(made)
    assert (made["state"], made["rows"], made["done"], made["result"]) == ("queued", 300, 0, None)
    early = signed_in.get(f"{ROOT}/{made['id']}/result.csv")
    assert (early.status_code, early.json()["code"]) == (409, "nothing_done")
    path = worked(made)
    found = signed_in.get(path).json()
    BatchOut.model_validate(found)
    assert (found["state"], found["progress"], found["done"]) == ("done", 1.0, 300)
    assert sum(found["counts"].values()) == 300
    assert sum(count for _, count in found["radii"]) == found["counts"]["matched"] + found["counts"]["approximate"]
    BatchesOut.model_validate(signed_in.get(ROOT).json())
    assert [one["id"] for one in signed_in.get(ROOT).json()["batches"]] == [made["id"]]

    answer = signed_in.get(f"{path}/result.csv", {"crs": "sh2000"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["序号"] for row in table] == [str(number) for number in range(1, 301)]
    located = [row for row in table if row["东坐标（米）"]]
    assert {row["坐标系"] for row in located} == {System.SH2000.label}
    assert len(located) == found["counts"]["matched"] + found["counts"]["approximate"]
    book = signed_in.get(f"{path}/result.xlsx")
    data = b"".join(book.streaming_content)  # type: ignore[attr-defined]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert len(sheet) == 301
    taken = AuditEntry.objects.filter(act="list_taken")
    assert [(one.actor, one.detail["rows"]) for one in taken] == [("clerk", 300), ("clerk", 300)]
    assert "路" not in json.dumps([one.detail for one in taken], ensure_ascii=False)


def test_columns_may_be_named(signed_in: Client) -> None:
    lines = ["杨浦,无此名路5号,乱写", "黄浦,无此名路7号,乱写"]
    made = upload(signed_in, lines, address_column=2, district_column=1, header_row=0)
    path = worked(made)
    text = b"".join(signed_in.get(f"{path}/result.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["规范地址"] for row in table] == ["上海市杨浦区无此名路5号", "上海市黄浦区无此名路7号"]
    assert [row["第 3 列"] for row in table] == ["乱写", "乱写"]
    refused = upload(signed_in, lines, status=400, address_column=9)
    assert refused["code"] == "column_unknown"
    assert Batch.objects.count() == 1


def test_stop_go_on_and_delete(signed_in: Client) -> None:
    made = upload(signed_in, messy_lines(20))
    path = f"{ROOT}/{made['id']}"
    assert signed_in.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert signed_in.post(f"{path}/cancel").status_code == 409
    assert signed_in.post(f"{path}/resume").json()["state"] == "queued"
    worked(made)
    assert signed_in.get(path).json()["done"] == 20
    assert signed_in.post(f"{path}/resume").status_code == 409
    assert signed_in.delete(path).status_code == 204
    assert signed_in.get(path).status_code == 404
    assert signed_in.delete(path).status_code == 404


class TestWho:
    def test_nobody_without_a_name(self, signed_in: Client) -> None:
        path = f"{ROOT}/{upload(signed_in, ['无此名路5号'])['id']}"
        nobody = Client()
        answers = [
            nobody.get(ROOT),
            nobody.get(path),
            nobody.delete(path),
            nobody.get(f"{path}/result.csv"),
            nobody.post(ROOT),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "sign_in_needed")}

    def test_a_key_speaks_for_its_account(self, clerk: User, signed_in: Client) -> None:
        made = upload(signed_in, ["无此名路5号"])
        _, token = create_api_key(user=clerk, name="台账")
        program = Client(headers={"authorization": f"Bearer {token}"})
        assert program.get(f"{ROOT}/{made['id']}").status_code == 200
        assert upload(program, ["无此名路7号"])["rows"] == 1

    def test_another_account_finds_nothing_and_a_watcher_no_rows(self, signed_in: Client) -> None:
        from geo.regions.models import Region

        path = worked(upload(signed_in, ["无此名路5号"]))
        declare_roles()
        others = {}
        for name in ("neighbour", "watcher"):
            user = User.objects.create_user(name, password="not-a-real-one")
            others[name] = Client()
            others[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            if name == "watcher":
                city = Region.objects.get(versions__code="310000", versions__edition__state="published")
                grant_role(user=user, role="city_manager", region=city, granted_by="test")
        for call in (others["neighbour"].get, others["neighbour"].delete):
            assert call(path).status_code == 404
        assert others["neighbour"].get(f"{path}/result.csv").status_code == 404
        assert others["watcher"].get(path).json()["done"] == 1
        refused = others["watcher"].get(f"{path}/result.csv")
        assert (refused.status_code, refused.json()["code"]) == (403, "batch_not_own")
        assert not AuditEntry.objects.filter(act="list_taken").exists()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "file_empty"),
        (b"\x00\x01", 400, "file_binary"),
        (b"PK\x03\x04rest", 400, "file_unreadable"),
        (b"\xd0\xcf\x11\xe0", 400, "file_old_excel"),
        (b"a," * 100, 413, "too_many_columns"),
    ],
)
def test_files_that_cannot_be_used(signed_in: Client, data: bytes, status: int, code: str) -> None:
    answer = signed_in.post(ROOT, {"file": SimpleUploadedFile("a.csv", data)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Batch.objects.exists()


def test_no_file_and_one_too_large(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_in.post(ROOT).json()["code"] == "parameter_invalid"
    monkeypatch.setattr(batches, "MOST_BYTES", 10)
    assert upload(signed_in, ["无此名路5号"] * 9, status=413)["code"] == "file_too_large"


def test_a_workbook_beyond_its_limit_is_refused(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = worked(upload(signed_in, messy_lines(20)))
    monkeypatch.setattr(batches, "XLSX_ROWS", 10)
    answer = signed_in.get(f"{path}/result.xlsx")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_rows")
    assert signed_in.get(f"{path}/result.csv", {"crs": "mars"}).json()["code"] == "crs_unknown"


def test_the_command_writes_the_same_rows(
    signed_in: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import CommandError, call_command

    lines = messy_lines(200)
    source, output = tmp_path / "名单.csv", tmp_path / "out.csv"
    source.write_text("\n".join(lines), encoding="utf-8")
    call_command("standardise", str(source), "-o", str(output))
    said = capsys.readouterr().out
    path = worked(upload(signed_in, lines))
    text = b"".join(signed_in.get(f"{path}/result.csv").streaming_content).decode("utf-8")  # type: ignore[attr-defined]
    assert output.read_text(encoding="utf-8").splitlines() == text.splitlines()
    assert "共 200 行" in said
    source.write_bytes(b"\x00")
    with pytest.raises(CommandError, match="不是文本文件"):
        call_command("standardise", str(source), "-o", str(tmp_path / "none.csv"))
    assert not list(tmp_path.glob("none*"))
