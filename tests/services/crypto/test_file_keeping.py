"""Kept files: sealed whatever wrote them, resealed by rotation without writing content again, and what was altered is named."""

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

from geo.errors import Conflict
from geo.jobs.actions import run_job, start_job
from geo.jobs.models import Job
from geo.kept import KeptFolder, keep_file, kept_folders, open_file
from services.crypto import file_checks, file_rotation
from services.crypto.file_checks import check_files
from services.crypto.house import house_keys
from services.crypto.keeping import kept_files, key_of_file
from services.crypto.keystore import make_keystore
from services.crypto.port import Purpose
from services.crypto.rotation import JOB, drop_key, rotate_keys, uses_of_keys
from services.crypto.sealed_files import BEGIN
from services.crypto.sealing import newest_id

ROOT = Path(__file__).resolve().parents[3]
SECRET = b"310101201809150018" * 9_000
"""Two and a half pieces."""


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.KEYSTORE, settings.MEDIA_ROOT = tmp_path / "keystore", tmp_path / "media"
    make_keystore(settings.KEYSTORE)
    return Path(settings.MEDIA_ROOT)


def kept(media: Path, name: str, content: bytes = SECRET) -> Path:
    source = media.parent / "source"
    source.write_bytes(content)
    target = media / name
    keep_file(source, target)
    source.unlink()
    return target


def plain(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def test_every_folder_below_the_media_is_declared_once() -> None:
    keys = [folder.key for folder in kept_folders()]
    assert sorted(keys) == [
        "attachments", "checkin-photos", "datasets", "fences", "knowledge", "lists", "previews", "results", "scenes", "sheets",
    ]  # fmt: skip
    used = set()
    for path in (path for folder in ("services", "layers", "geo", "web") for path in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "default_storage" not in text, f"{path}: keep files by geo.kept"
        if "MEDIA_ROOT" in text:
            used.add(path.relative_to(ROOT).as_posix())
    # Whoever asks for MEDIA_ROOT keeps files: declare them in a kept.py, then add the module here.
    assert used == {
        "geo/kept/__init__.py",
        "geo/addresses/standardising/queries.py",
        "layers/processes/queries.py",
        "services/crypto/keeping.py",
        "services/fencing/checkins/photos.py",
        "services/kernel/documents/contents.py",
        "services/kernel/documents/store.py",
        "services/kernel/ledger/importing/queries.py",
        "services/kernel/messages/knowledge/files.py",
        "web/settings.py",
    }


def test_what_is_kept_is_sealed_and_comes_back(media: Path) -> None:
    path = kept(media, "lists/a.jsonl")
    assert b"310101" not in path.read_bytes()
    assert plain(path) == SECRET
    assert path.stat().st_mode & 0o007 == 0
    assert list((media / "incoming").iterdir()) == []


def test_a_file_put_in_the_place_of_another_is_refused(media: Path) -> None:
    one, other = kept(media, "lists/a.jsonl"), kept(media, "lists/b.jsonl")
    os.replace(one, other)
    with pytest.raises(Conflict, match="改动过"):
        plain(other)


@pytest.mark.django_db
class TestRotation:
    def test_plain_files_are_sealed_and_others_get_new_keys_without_their_content(self, media: Path) -> None:
        sealed = kept(media, "lists/a.jsonl")
        before, old = sealed.read_bytes(), newest_id(Purpose.SEAL)
        plain_one = media / "sheets" / "b.jsonl"
        plain_one.parent.mkdir()
        plain_one.write_bytes(SECRET)
        os.utime(plain_one, (1000, 1000))
        drawn = media / "previews" / "ab" / "x.webp"
        drawn.parent.mkdir(parents=True)
        drawn.write_bytes(b"a face")
        assert plain(plain_one) == SECRET  # readable before, too
        made, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
        with pytest.raises(Conflict, match="1 个文件"):
            drop_key(key_id=old)
        result = run_job(job_id=job.pk).result
        assert (result["files_seen"], result["files_renewed"], result["broken"]) == (3, 3, [])
        assert sealed.read_bytes()[BEGIN:] == before[BEGIN:]
        assert {key_of_file(path) for _, path in kept_files()} == {made[0].id}
        assert b"310101" not in plain_one.read_bytes()
        assert plain_one.stat().st_mtime == 1000
        assert not drawn.exists()  # it is drawn again when somebody looks
        assert (plain(sealed), plain(plain_one)) == (SECRET, SECRET)
        assert uses_of_keys() == {made[0].id: 2}
        drop_key(key_id=old)
        assert plain(sealed) == SECRET
        again = run_job(job_id=start_job(kind=JOB, actor="t").pk).result
        assert (again["files_seen"], again["files_renewed"]) == (2, 0)

    def test_a_file_that_does_not_open_is_named_and_the_work_goes_on(self, media: Path, settings: Any) -> None:
        altered, foreign, good = (kept(media, f"lists/{name}.jsonl") for name in "abc")
        data = bytearray(altered.read_bytes())
        data[40] ^= 1
        altered.write_bytes(data)
        other = media.parent / "other"
        make_keystore(other)
        settings.KEYSTORE, ours = other, settings.KEYSTORE
        kept(media, "lists/b.jsonl")
        settings.KEYSTORE = ours
        made, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
        result = run_job(job_id=job.pk).result
        assert [(each["row"], each["code"]) for each in result["broken"]] == [
            ("a.jsonl", "file_altered"),
            ("b.jsonl", "key_unknown"),
        ]
        assert key_of_file(good) == made[0].id
        assert foreign.exists()

    def test_it_goes_on_where_it_stood(self, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for at in range(7):
            kept(media, f"lists/{at}.jsonl", b"[]")
        monkeypatch.setattr(file_rotation, "BATCH", 3)
        real, seen = file_rotation.renew_file, []

        def dies(path: Path, **options: Any) -> bool:
            seen.append(path.name)
            if len(seen) == 5:
                raise KeyboardInterrupt
            return real(path, **options)

        monkeypatch.setattr(file_rotation, "renew_file", dies)
        _, job = rotate_keys(actor="t", purposes=[Purpose.SEAL])
        with pytest.raises(KeyboardInterrupt):
            run_job(job_id=job.pk)
        Job.objects.update(state="queued")
        result = run_job(job_id=job.pk).result
        assert seen == [f"{at}.jsonl" for at in (0, 1, 2, 3, 4, 3, 4, 5, 6)]
        assert (result["files_seen"], result["files_renewed"]) == (7, 6)  # one had its key before the crash


WORKER = """
import sys
import django
django.setup()
from pathlib import Path
from services.crypto.house import house_keys
from services.crypto.keeping import kept_files, renew_file
from services.crypto.port import Purpose
from services.crypto.sealing import newest_id
from django.conf import settings
settings.KEYSTORE, settings.MEDIA_ROOT = Path(sys.argv[1]), Path(sys.argv[2])
print("begins", flush=True)
for path in sorted(settings.MEDIA_ROOT.rglob("*.jsonl")):
    renew_file(path, keys=house_keys(), newest=newest_id(Purpose.SEAL))
"""


def test_a_process_killed_in_the_middle_spoils_no_file(media: Path) -> None:
    paths = [media / "lists" / f"{at:03d}.jsonl" for at in range(120)]
    for at, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if at % 2:
            path.write_bytes(SECRET)
        else:
            kept(media, f"lists/{at:03d}.jsonl")
    house_keys().add_key(Purpose.SEAL)
    newest = newest_id(Purpose.SEAL)
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(house.KEYSTORE), str(media)], cwd=ROOT, stdout=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )  # fmt: skip
    try:
        assert child.stdout is not None
        child.stdout.readline()
        end = time.monotonic() + 60
        while key_of_file(paths[20]) != newest:
            assert child.poll() is None
            assert time.monotonic() < end
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    done = sum(key_of_file(path) == newest for path in paths)
    assert 20 <= done < 120
    assert all(plain(path) == SECRET for path in paths)
    for left in (media / "incoming").iterdir():
        assert b"310101" not in left.read_bytes()


@pytest.mark.django_db
def test_what_is_missing_plain_or_altered_is_reported(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        kept(media, f"lists/{name}")
    (media / "lists" / "b").write_bytes(SECRET)
    for name, at in (("c", 50), ("d", -100)):
        path = media / "lists" / name
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
    folder = KeptFolder("lists", "名单", lambda: ["a", "b", "gone"])
    monkeypatch.setattr(file_checks, "kept_folders", lambda: (folder,))
    seen, findings, _ = check_files(everything=True)
    assert seen == 4
    assert sorted((each.code, str(each.row)) for each in findings) == [
        ("file_altered", "lists/c"),
        ("file_altered", "lists/d"),
        ("file_missing", "lists/gone"),
        ("file_plain", "lists/b"),
    ]
    monkeypatch.setattr(file_checks, "SAMPLE", 1)
    assert check_files()[2].startswith("通读抽查 1 个")
