"""The addresses of files: who gets what, what is said to a script and to a person, what is written into the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from services.access.demo import make_demo_accounts
from services.access.models import AuditEntry, User
from services.facilities.models import Facility
from services.kernel.documents.models import Attachment, ScanState
from tests.services.kernel.documents.files import pdf, picture, word

SCRIPT = {"X-Fragment": "files"}


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")


@pytest.fixture
def place(city: None) -> Facility:
    make_demo_accounts()
    return Facility.objects.filter(
        region__versions__path__startswith="310000.310101.",
        region__versions__edition__state="published",
        status="open",
        retired_at=None,
    ).first()


def client(username: str = "") -> Client:
    made = Client()
    if username:
        made.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return made


def send(who: Client, place: Facility, *files: tuple[str, bytes], purpose: str = "photo", **options: Any) -> Any:
    uploads = [SimpleUploadedFile(name, data) for name, data in files]
    asked = {"kind": "facilities", "owner_id": str(place.pk), "purpose": purpose, "file": uploads}
    return who.post("/desk/files/upload", asked, **options)


def attached(place: Facility, data: bytes, name: str, purpose: str = "photo") -> Attachment:
    assert send(client("qu"), place, (name, data), purpose=purpose).status_code == 302
    return Attachment.objects.order_by("-uploaded_at").first()


def got(who: Client, path: str) -> Any:
    answer = who.get(path)
    for close in answer._resource_closers:
        close()  # the file alone: closing the answer would end the transaction that the test stands on
    return answer


def test_a_person_comes_back_to_the_place_and_a_script_gets_the_panel(place: Facility) -> None:
    answer = send(client("qu"), place, ("一.jpg", picture()))
    assert (answer.status_code, answer["Location"]) == (302, f"/desk/ledgers/facilities/{place.pk}")
    answer = send(client("qu"), place, ("二.png", picture("PNG")), headers=SCRIPT)
    assert answer.status_code == 200
    assert "二.png" in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("files", [(), (("坏.jpg", b"MZ"),)], ids=["nothing", "bad"])
def test_what_is_wrong_is_said_to_both(place: Facility, files: tuple[tuple[str, bytes], ...]) -> None:
    said = send(client("qu"), place, *files, headers=SCRIPT)
    assert said.status_code == 400
    page = send(client("qu"), place, *files)
    assert page.status_code == 400
    assert said.json()["message"] in page.content.decode()


def test_of_several_files_each_is_judged_by_itself(place: Facility) -> None:
    answer = send(client("qu"), place, ("坏.jpg", b"MZ"), ("好.jpg", picture()))
    assert answer.status_code == 400
    assert "坏.jpg：" in answer.content.decode()
    assert [row.name for row in Attachment.objects.all()] == ["好.jpg"]


def test_more_than_twenty_at_once_are_left_for_the_next_time(place: Facility) -> None:
    answer = send(client("qu"), place, *((f"{at}.jpg", b"") for at in range(22)))
    assert answer.content.decode().count("一次最多上传 20 个") == 2


@pytest.mark.parametrize(("username", "status"), [("", 302), ("jumin", 403), ("guihua", 403)])
def test_nobody_else_adds_or_takes_away(place: Facility, username: str, status: int) -> None:
    row = attached(place, picture(), "一.jpg")
    who = client(username)
    answers = [
        send(who, place, ("二.png", picture("PNG"))),
        who.post(f"/desk/files/{row.pk}/remove"),
        who.post(f"/desk/files/{row.pk}/restore"),
        who.post(f"/desk/files/{row.pk}/replace", {"file": SimpleUploadedFile("x.png", picture("PNG"))}),
        who.post("/desk/files/make", {"kind": "facilities", "owner_id": str(place.pk), "what": "place-sheet.pdf"}),
    ]
    # A resident does not even learn that a file which is not yet public is there.
    assert {answer.status_code for answer in answers} <= {status, 404}
    if username:
        assert {answer.status_code for answer in answers} & {403, 400}
    row.refresh_from_db()
    assert (Attachment.objects.count(), row.removed_at, row.current) == (1, None, True)


def test_acts_are_posts(place: Facility) -> None:
    row = attached(place, picture(), "一.jpg")
    for act in ("remove", "restore", "replace"):
        assert client("qu").get(f"/desk/files/{row.pk}/{act}").status_code == 405
    assert Attachment.objects.get().removed_at is None


def test_everybody_sees_a_clean_photo_and_nothing_else(place: Facility) -> None:
    photo = attached(place, picture(), "一.jpg")
    paper = attached(place, pdf(), "照.pdf", "licence")
    anyone = client()
    for row in (photo, paper):
        assert got(anyone, f"/files/{row.pk}/content").status_code == 404
    Attachment.objects.update(state=ScanState.CLEAN)
    assert got(anyone, f"/files/{photo.pk}/content").status_code == 200
    assert got(anyone, f"/files/{photo.pk}/pages/1?size=thumb")["Content-Type"] == "image/webp"
    assert got(anyone, f"/files/{paper.pk}/content").status_code == 404
    assert got(anyone, f"/files/{paper.pk}/pages/1").status_code == 404


def test_only_pictures_are_shown_inline(place: Facility) -> None:
    photo = attached(place, picture(), "一.jpg")
    paper = attached(place, word("x"), "二.docx", "inspection")
    who = client("qu")
    assert got(who, f"/files/{photo.pk}/content?inline")["Content-Disposition"].startswith("inline")
    assert got(who, f"/files/{photo.pk}/content")["Content-Disposition"].startswith("attachment")
    assert got(who, f"/files/{paper.pk}/content?inline")["Content-Disposition"].startswith("attachment")


def test_each_opening_of_a_sensitive_file_is_written_down(place: Facility) -> None:
    paper = attached(place, pdf(), "检查.pdf", "inspection")
    photo = attached(place, picture(), "一.jpg")
    who = client("qu")
    for path in (f"/desk/files/{paper.pk}", f"/desk/files/of/facilities/{place.pk}", f"/files/{photo.pk}/content"):
        got(who, path)
    assert not AuditEntry.objects.filter(act="file_opened").exists()  # the name was shown, the content was not
    got(who, f"/files/{paper.pk}/pages/1")
    got(who, f"/files/{paper.pk}/content")
    got(client("jumin"), f"/files/{paper.pk}/content")
    entries = AuditEntry.objects.filter(act="file_opened")
    assert [entry.actor for entry in entries] == ["qu", "qu"]
    assert entries[0].detail == {"file": str(paper.pk), "version": 1, "owner": f"facilities {place.pk}"}


def test_a_page_that_is_not_there(place: Facility) -> None:
    paper = attached(place, pdf(), "照.pdf", "licence")
    who = client("qu")
    for path in (f"/files/{paper.pk}/pages/2", f"/files/{paper.pk}/pages/0", f"/desk/files/{paper.pk}?page=7"):
        assert who.get(path).status_code == 404
    assert who.get(f"/desk/files/{paper.pk}?page=nonsense&size=nonsense").status_code == 200
    assert who.get("/desk/files/of/nothing/1").status_code == 404
    assert who.get("/desk/files/of/facilities/99999999999999999999999").status_code == 404


def test_a_content_that_is_gone_is_said_and_not_a_fault(place: Facility) -> None:
    paper = attached(place, pdf(), "照.pdf", "licence")
    for path in Path(settings.MEDIA_ROOT).rglob(paper.sha256):
        path.unlink()
    who = client("qu")
    assert "从备份恢复" in who.get(f"/desk/files/{paper.pk}").content.decode()
    assert got(who, f"/files/{paper.pk}/content").status_code == 404
