"""Attaching, replacing, removing and bringing back, for everyone who may and nobody else; two people and two clicks at once."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from geo.errors import CityError, Conflict, Forbidden, NotFound, TooLarge, TooMany
from geo.scope import Scope
from services.kernel.documents import actions, queries
from services.kernel.documents.actions import (
    attach_file,
    remove_attachment,
    replace_attachment,
    restore_attachment,
)
from services.kernel.documents.models import Attachment, ScanState
from services.kernel.documents.queries import attachment_of, content_of, folders_of, versions_of
from tests.services.kernel.documents.conftest import KEEPER, READER, STRANGER
from tests.services.kernel.documents.files import pdf, picture, plain_of, word

Upload = Callable[[bytes], Path]
pytestmark = pytest.mark.django_db


def attach(upload: Upload, data: bytes, *, owner: str = "1", purpose: str = "photo", scope: Scope = KEEPER, name: str = "一.jpg") -> queries.Held:  # fmt: skip
    return attach_file(kind="thing", owner_id=owner, purpose=purpose, source=upload(data), name=name, scope=scope)


def shades(count: int) -> list[bytes]:
    return [picture("JPEG", (40 + at, 40)) for at in range(count)]


def names_in(owner: str, scope: Scope, purpose: str = "photo") -> list[str]:
    folders = {folder.purpose.key: folder for folder in folders_of(kind="thing", owner_id=owner, scope=scope)}
    return [held.row.name for held in folders[purpose].files] if purpose in folders else []


def test_what_is_attached_lies_under_its_digest_and_nothing_a_person_wrote(upload: Upload, media: Path) -> None:
    held = attach(upload, picture(gps=True), name="../../我家门口.jpg")
    assert held.row.name == "我家门口.jpg"
    path = media / "attachments" / held.row.sha256[:2] / held.row.sha256[2:4] / held.row.sha256
    assert held.path == path
    content = plain_of(path)
    assert hashlib.sha256(content).hexdigest() == held.row.sha256
    assert held.row.size == len(content)
    assert content[:64] not in path.read_bytes()
    assert path.stat().st_mode & 0o007 == 0
    assert (held.row.uploaded_by, held.row.state) == ("keeper", ScanState.UNSCANNED)
    assert list((media / "incoming").iterdir()) == []


def test_a_refused_file_leaves_nothing(upload: Upload, media: Path) -> None:
    with pytest.raises(CityError):
        attach(upload, b"no picture")
    assert not Attachment.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_second_click_keeps_one(upload: Upload) -> None:
    first, second = attach(upload, picture()), attach(upload, picture(), name="又一次.jpg")
    assert first.row.pk == second.row.pk
    assert Attachment.objects.count() == 1
    other = attach(upload, picture(), purpose="paper")
    assert other.row.pk != first.row.pk


def test_versions_stay_openable(upload: Upload) -> None:
    one, two, three = shades(3)
    first = attach(upload, one)
    second = replace_attachment(attachment_id=first.row.pk, source=upload(two), name="二.jpg", scope=KEEPER)
    third = replace_attachment(attachment_id=second.row.pk, source=upload(three), name="三.jpg", scope=KEEPER)
    assert [held.row.version for held in versions_of(first)] == [3, 2, 1]
    assert names_in("1", READER) == ["三.jpg"]
    assert plain_of(content_of(attachment_id=first.row.pk, scope=READER).path) != plain_of(third.path)
    assert third.row.replaces_id == second.row.pk


def test_two_people_replacing_the_same_version_do_not_lose_one(upload: Upload) -> None:
    one, two, three = shades(3)
    first = attach(upload, one)
    replace_attachment(attachment_id=first.row.pk, source=upload(two), name="二.jpg", scope=KEEPER)
    with pytest.raises(Conflict, match="别人刚上传了更新的版本"):
        replace_attachment(attachment_id=first.row.pk, source=upload(three), name="三.jpg", scope=KEEPER)
    again = replace_attachment(attachment_id=first.row.pk, source=upload(two), name="二.jpg", scope=KEEPER)
    assert again.row.version == 2
    assert Attachment.objects.count() == 2


def test_removed_and_brought_back(upload: Upload) -> None:
    one, two, _ = shades(3)
    first = attach(upload, one)
    held = replace_attachment(attachment_id=first.row.pk, source=upload(two), name="二.jpg", scope=KEEPER)
    remove_attachment(attachment_id=first.row.pk, scope=KEEPER)  # from a page that still shows the older version
    assert names_in("1", KEEPER) == []
    for version in (first, held):
        with pytest.raises(NotFound):
            attachment_of(attachment_id=version.row.pk, scope=READER)
    with pytest.raises(Conflict, match="已移除"):
        content_of(attachment_id=held.row.pk, scope=KEEPER)
    with pytest.raises(Conflict):
        replace_attachment(attachment_id=held.row.pk, source=upload(one), name="三.jpg", scope=KEEPER)
    restore_attachment(attachment_id=held.row.pk, scope=KEEPER)
    assert names_in("1", READER) == ["二.jpg"]


def test_what_was_attached_again_meanwhile_is_not_brought_back_beside_it(upload: Upload) -> None:
    first = attach(upload, picture())
    remove_attachment(attachment_id=first.row.pk, scope=KEEPER)
    second = attach(upload, picture(), name="新的.jpg")
    assert second.row.pk != first.row.pk
    with pytest.raises(Conflict, match="“新的.jpg”"):
        restore_attachment(attachment_id=first.row.pk, scope=KEEPER)


def test_limits_of_number_and_of_bytes(upload: Upload) -> None:
    held = [attach(upload, data) for data in shades(3)]
    with pytest.raises(TooMany, match="最多放 3 个文件"):
        attach(upload, picture("JPEG", (90, 90)))
    remove_attachment(attachment_id=held[0].row.pk, scope=KEEPER)
    attach(upload, picture("JPEG", (90, 90)))
    with pytest.raises(TooMany):
        restore_attachment(attachment_id=held[0].row.pk, scope=KEEPER)
    noise = [pdf(lambda document, at=at: document.make_stream(bytes([at]) * 10), pages=1) for at in range(3)]
    Attachment.objects.filter(pk=held[1].row.pk).update(size=999_900)
    with pytest.raises(TooLarge, match="加起来最多 1 MB"):
        attach(upload, noise[0], purpose="paper", name="a.pdf")


@pytest.mark.parametrize(
    ("scope", "fault"), [(READER, Forbidden), (STRANGER, NotFound), (Scope.public(), NotFound)], ids=["reader", "stranger", "public"]
)  # fmt: skip
def test_nobody_else_changes_anything(upload: Upload, scope: Scope, fault: type[CityError]) -> None:
    held = attach(upload, picture(), owner="secret", purpose="paper")
    acts: list[Callable[[], Any]] = [
        lambda: attach(upload, word(), owner="secret", purpose="paper", scope=scope),
        lambda: replace_attachment(attachment_id=held.row.pk, source=upload(word()), name="a.docx", scope=scope),
        lambda: remove_attachment(attachment_id=held.row.pk, scope=scope),
        lambda: restore_attachment(attachment_id=held.row.pk, scope=scope),
    ]
    for act in acts:
        with pytest.raises(fault):
            act()
    assert Attachment.objects.get().removed_at is None


def test_who_may_see_what(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, paper = attach(upload, picture()), attach(upload, word(), purpose="paper", name="a.docx")
    for scope in (STRANGER, Scope.public()):
        for held in (photo, paper):
            with pytest.raises(NotFound):
                attachment_of(attachment_id=held.row.pk, scope=scope)
        assert names_in("1", scope) == []
    # Once found clean, a photo of a public thing is for everybody; a paper never is.
    Attachment.objects.update(state=ScanState.CLEAN)
    assert content_of(attachment_id=photo.row.pk, scope=Scope.public()).row.name == "一.jpg"
    assert names_in("1", Scope.public()) == ["一.jpg"]
    assert [folder.purpose.key for folder in folders_of(kind="thing", owner_id="1", scope=Scope.public())] == ["photo"]
    with pytest.raises(NotFound):
        attachment_of(attachment_id=paper.row.pk, scope=Scope.public())
    with pytest.raises(NotFound):
        attachment_of(attachment_id=uuid.uuid4(), scope=KEEPER)


def test_what_no_scanner_has_seen_is_for_staff_if_the_house_says_so(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = attach(upload, picture())
    assert content_of(attachment_id=held.row.pk, scope=READER).openable
    monkeypatch.setattr(settings, "OPEN_UNSCANNED", False)
    with pytest.raises(Forbidden, match="还没有查毒"):
        content_of(attachment_id=held.row.pk, scope=READER)


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_time_keep_one_and_the_last_place_is_given_once(upload: Upload) -> None:
    same = picture("JPEG", (70, 70))
    for data in shades(2):
        attach(upload, data)
    done: list[Any] = []
    sources = [upload(same) for _ in range(4)] + [upload(picture("JPEG", (80 + at, 80))) for at in range(3)]

    def click(source: Path) -> None:
        try:
            done.append(
                attach_file(
                    kind="thing", owner_id="1", purpose="photo", source=source, name="x.jpg", scope=KEEPER
                ).row.pk
            )
        except CityError as fault:
            done.append(fault.code)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=click, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Attachment.objects.count() == 3
    kept = {one for one in done if isinstance(one, uuid.UUID)}
    assert len(kept) == 1
    assert len(done) == 7
    assert {one for one in done if isinstance(one, str)} <= {"too_many_files"}
    assert connection.vendor == "postgresql"
    assert actions.SCAN_TASK
