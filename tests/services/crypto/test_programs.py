"""Programs are signed as they are; later a file that changed, is missing, was added, or a replaced list is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geo.errors import Conflict
from services.crypto.programs import check_programs, control_files, program_files, sign_programs
from services.crypto.sm2 import new_key


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> Path:
    settings.ROOT, settings.PROGRAM_MANIFEST = tmp_path / "house", tmp_path / "manifest"
    (tmp_path / "house" / "web" / "static").mkdir(parents=True)
    (tmp_path / "house" / "web" / "static" / "page.js").write_text("js")
    (tmp_path / "house" / "web" / "urls.py").write_text("urls")
    (tmp_path / "house" / "run").write_text("run")
    (tmp_path / "hosts").write_text("allowed")
    settings.DEVICE_CONTROLS = [str(tmp_path / "hosts"), str(tmp_path / "absent")]
    return tmp_path / "house"


def found(kind: str = "programs") -> list[tuple[str, str]]:
    return [(finding.code, str(finding.row)) for finding in check_programs(kind)[1]]


def test_what_is_looked_at() -> None:
    files = program_files()
    assert {"run", "manage.py", "services/crypto/sm2.py", "web/templates/desk/frame.html"} <= files.keys()
    assert any(name.endswith("/postgres") for name in files)
    assert not any("__pycache__" in name for name in files)
    assert "/etc/passwd" in control_files()


def test_nothing_is_signed_before_a_person_says_so(house: Path) -> None:
    with pytest.raises(Conflict, match="verify --sign"):
        check_programs("programs")


def test_every_alteration_is_named(house: Path) -> None:
    count = sign_programs()
    assert found() == found("controls") == []
    assert check_programs("programs")[0] + check_programs("controls")[0] == count
    (house / "web" / "urls.py").write_text("other")
    (house / "web" / "static" / "page.js").unlink()
    (house / "web" / "more.py").write_text("more")
    (house.parent / "hosts").write_text("all allowed")
    assert found() == [
        ("file_missing", "web/static/page.js"),
        ("file_added", "web/more.py"),
        ("file_changed", "web/urls.py"),
    ]
    assert [code for code, _ in found("controls")] == ["file_changed"]
    sign_programs()
    assert found() == found("controls") == []


def test_a_list_that_was_altered_or_signed_by_another_does_not_count(house: Path, settings: Any) -> None:
    sign_programs()
    path = Path(settings.PROGRAM_MANIFEST)
    whole = json.loads(path.read_text())
    forged = {**whole, "signature": new_key().sign(b"anything").hex()}
    fewer = {**whole, "programs": {}}
    for text in ("", "rubbish", "[]", "{}", json.dumps(forged), json.dumps(fewer)):
        path.write_text(text)
        assert [code for code, _ in found()] == ["manifest_forged"]
    path.write_text(json.dumps(whole))
    assert found() == []
