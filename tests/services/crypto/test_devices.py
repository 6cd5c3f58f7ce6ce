"""Log files of machines: new whole lines are signed, rotation is followed, and what is altered, cut or taken away is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.crypto.devices import check_device_logs, sign_device_logs
from services.crypto.models import LogPiece

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "auth.log"
    settings.DEVICE_LOGS = [str(path), str(tmp_path / "absent.log")]
    path.write_text("line 1\nline 2\n")
    return path


def codes() -> list[str]:
    return [finding.code for finding in check_device_logs()[1]]


def test_what_is_new_is_signed_in_whole_lines(log: Path) -> None:
    assert (sign_device_logs(), sign_device_logs()) == (1, 0)
    with log.open("a") as file:
        file.write("line 3\nhalf a li")
    assert sign_device_logs() == 1
    assert list(LogPiece.objects.order_by("start").values_list("start", "end")) == [(0, 14), (14, 21)]
    with log.open("a") as file:
        file.write("ne\n" + "x" * 200_000 + "\n")
    assert sign_device_logs() == 1
    count, findings, note = check_device_logs()
    assert (count, findings) == (3, [])
    assert "absent.log" in note


def test_a_renamed_file_is_followed(log: Path) -> None:
    sign_device_logs()
    log.rename(log.with_name("auth.log.1"))
    log.write_text("a new file\n")
    assert sign_device_logs() == 1
    assert codes() == []


def test_alterations_are_named(log: Path) -> None:
    sign_device_logs()
    with log.open("a") as file:
        file.write("line 3\n")
    sign_device_logs()
    whole = log.read_bytes()
    with log.open("r+b") as file:
        file.write(b"LINE")
    assert codes() == ["log_changed"]
    assert "auth.log 第 0–14 字节" in check_device_logs()[1][0].text
    with log.open("r+b") as file:
        file.write(whole[:14])
        file.truncate(14)
    assert codes() == ["log_cut"]
    with log.open("r+b") as file:
        file.write(whole)
    assert codes() == []
    LogPiece.objects.filter(start=0).update(end=10)
    assert codes() == ["piece_forged"]
    LogPiece.objects.filter(start=0).update(end=14)
    log.unlink()
    assert codes() == ["log_missing", "log_missing"]
