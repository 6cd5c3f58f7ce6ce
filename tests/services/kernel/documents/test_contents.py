"""The store against the rows, both ways: what no row names, what is gone, what has changed on disk."""

from __future__ import annotations

import datetime as dt
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from services.kernel.documents import contents, store
from services.kernel.documents.actions import attach_file, purge_removed, remove_attachment, replace_attachment
from services.kernel.documents.contents import sweep, tidy
from services.kernel.documents.models import Attachment, ScanState
from services.kernel.documents.previews import Size, page_image
from services.kernel.documents.queries import Held
from tests.services.kernel.documents.conftest import KEEPER
from tests.services.kernel.documents.files import picture

Upload = Callable[[bytes], Path]
pytestmark = pytest.mark.django_db


def attach(upload: Upload, size: int = 40) -> Held:
    source = upload(picture("JPEG", (size, 40)))
    return attach_file(kind="thing", owner_id="1", purpose="photo", source=source, name="一.jpg", scope=KEEPER)


def orphan(content: bytes, *, days: float) -> Path:
    with store.incoming() as folder:
        (folder / "x").write_bytes(content)
        path = store.path_of(store.keep(folder / "x"))
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def run(*options: str) -> str:
    said = io.StringIO()
    call_command("check_files", *options, stdout=said, stderr=said)
    return said.getvalue()


def test_old_orphans_are_listed_and_with_commit_deleted(upload: Upload) -> None:
    held = attach(upload)
    old, fresh = orphan(b"old", days=2), orphan(b"fresh", days=0.5)
    size = old.stat().st_size
    assert f"没有记录的 1 个，{size} 字节，可删除" in run()
    assert old.exists()
    assert f"没有记录的 1 个，{size} 字节，已删除" in run("--commit")
    assert not old.exists()
    assert fresh.exists()
    assert held.path.exists()
    assert "没有记录的 0 个" in run("--commit")


def test_removed_files_and_older_versions_are_kept(upload: Upload) -> None:
    held = attach(upload)
    remove_attachment(attachment_id=held.row.pk, scope=KEEPER)
    os.utime(held.path, (0, 0))
    assert sweep(commit=True).orphans == []
    assert held.path.exists()


def test_what_the_scanner_refused_goes(upload: Upload) -> None:
    held = attach(upload)
    os.utime(held.path, (0, 0))
    Attachment.objects.update(state=ScanState.REFUSED)
    assert sweep(commit=True).orphans == [held.path]
    assert not held.path.exists()
    assert sweep().sound


def test_a_flipped_bit_is_found_and_nothing_deleted(upload: Upload) -> None:
    held, other = attach(upload), attach(upload, 60)
    data = bytearray(held.path.read_bytes())
    data[len(data) // 2] ^= 1
    held.path.write_bytes(data)
    with pytest.raises(CommandError, match="从备份恢复"):
        run("--commit")
    assert sweep().spoiled == [held.row.sha256]
    assert sweep(verify=False).sound
    assert held.path.exists()
    assert other.path.exists()


def test_a_content_that_is_gone_is_found(upload: Upload) -> None:
    held = attach(upload)
    held.path.unlink()
    assert sweep().missing == [held.row.sha256]
    with pytest.raises(CommandError):
        run()


def test_what_an_upload_that_was_cut_off_left_goes(upload: Upload) -> None:
    waiting = store.contents_folder() / "incoming" / "tmpabc"
    waiting.mkdir(parents=True)
    (waiting / "content").write_bytes(b"half")
    os.utime(waiting / "content", (0, 0))
    assert len(sweep(commit=True).orphans) == 1
    assert not (waiting / "content").exists()


def test_an_upload_of_an_orphan_s_content_in_the_very_moment_of_the_sweep_keeps_it(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = attach(upload)
    Attachment.objects.all().delete()
    os.utime(held.path, (0, 0))
    real = contents.delete_unnamed

    def attach_first(orphans: list[Path], *, grace: float) -> int:
        attach(upload)
        return real(orphans, grace=grace)

    monkeypatch.setattr(contents, "delete_unnamed", attach_first)
    sweep(commit=True)
    assert held.path.exists()
    monkeypatch.undo()


def test_equal_contents_are_one_file(upload: Upload) -> None:
    one = attach(upload)
    source = upload(picture("JPEG", (40, 40)))
    two = attach_file(kind="thing", owner_id="2", purpose="photo", source=source, name="二.jpg", scope=KEEPER)
    assert one.path == two.path
    assert len(list(store.kept())) == 1


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 63 + "/"])
def test_only_a_digest_is_a_path(digest: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        store.path_of(digest)


def test_old_drawings_go_and_contents_stay(upload: Upload) -> None:
    held = attach(upload)
    old, fresh = (page_image(held, page=1, size=size) for size in (Size.FIT, Size.THUMB))
    for path in (old, held.path):
        os.utime(path, (0, 0))
    assert tidy() == 1
    assert (old.exists(), fresh.exists(), held.path.exists()) == (False, True, True)


def test_a_backup_takes_contents_along_and_leaves_drawings_behind(upload: Upload) -> None:
    from web.serving.archive import _passing

    held = attach(upload)
    drawn = page_image(held, page=1, size=Size.THUMB)
    media = store.contents_folder().parent
    assert not _passing(held.path.relative_to(media))
    assert _passing(drawn.relative_to(media))
    assert _passing(Path("attachments/incoming/tmpx/content"))


def test_files_removed_long_ago_are_deleted_for_good_and_what_others_share_stays(upload: Upload) -> None:
    gone, kept, shared = attach(upload), attach(upload, 60), attach(upload, 80)
    newer = replace_attachment(
        attachment_id=gone.row.pk, source=upload(picture("JPEG", (44, 40))), name="二.jpg", scope=KEEPER
    )
    source = upload(picture("JPEG", (80, 40)))
    other = attach_file(kind="thing", owner_id="2", purpose="photo", source=source, name="三.jpg", scope=KEEPER)
    drawing = page_image(newer, page=1, size=Size.THUMB)
    for held in (gone, newer, kept, shared):
        os.utime(held.path, (0, 0))
    remove_attachment(attachment_id=newer.row.pk, scope=KEEPER)
    remove_attachment(attachment_id=shared.row.pk, scope=KEEPER)
    now = timezone.now()
    assert purge_removed(now=now + dt.timedelta(days=89)) == 0
    assert newer.path.exists()
    assert purge_removed(now=now + dt.timedelta(days=91)) == 2
    assert set(Attachment.objects.values_list("pk", flat=True)) == {kept.row.pk, other.row.pk}
    assert [path.exists() for path in (gone.path, newer.path, drawing)] == [False] * 3
    assert kept.path.exists()
    assert shared.path == other.path
    assert other.path.exists()
    assert purge_removed(now=now + dt.timedelta(days=91)) == 0
