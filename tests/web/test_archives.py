"""Layers drawn whole into files: made by managers, fetched by ranges, made again when rows changed, gone when no longer public."""

from __future__ import annotations

import datetime as dt
import gzip
import html
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import QuerySet
from django.test import Client
from pmtiles.reader import Reader
from pmtiles.tile import zxy_to_tileid

from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from layers.registry import layers
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.facilities.preloading import archives
from services.facilities.preloading.archives import KIND, archive_path, renew_archives
from tests.web.test_preloading import signed_in
from tiles.schemes import tile_at

pytestmark = pytest.mark.usefixtures("city")
PAGE, PLACES, FILE = "/desk/preloads", "/desk/preloads/archives/places", "/tiles/places.pmtiles"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.TILE_ARCHIVES = tmp_path / "archives"
    cache.clear()


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the layer of places end early: a file of it is drawn in a moment."""
    import dataclasses

    monkeypatch.setitem(layers(), "places", dataclasses.replace(layers()["places"], max_zoom=12))


def jobs() -> QuerySet[Job]:
    return Job.objects.filter(kind=KIND).order_by("created_at")


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("name", ["qu", "jiezhen", "jigou", "jumin"])
def test_files_are_made_by_managers_of_the_city_only(name: str) -> None:
    client = signed_in(name)
    for act in ("make", "stop", "delete"):
        assert client.post(PLACES, {"act": act}).status_code == 403
    assert Client().post(PLACES, {"act": "make"}).status_code == 302
    assert jobs().count() == 0


def test_a_file_is_made_once_and_read_by_ranges_tile_by_tile(shallow: None) -> None:
    shi, anyone = signed_in("shi"), Client(headers={"host": "localhost"})
    missing = anyone.get(FILE)
    assert (missing.status_code, missing.json()["code"]) == (404, "archive_missing")
    for _ in range(2):  # a double click
        assert shi.post(PLACES, {"act": "make"}).status_code == 302
    assert "正在制作" in text(shi.get(PAGE))
    assert run_job(job_id=jobs().get().pk).state == JobState.DONE
    page = text(shi.get(PAGE))
    assert "places.pmtiles" in page
    assert "0–12 级" in page

    asked = []

    def piece(offset: int, length: int) -> bytes:
        answer = anyone.get(FILE, headers={"Range": f"bytes={offset}-{offset + length - 1}"})
        assert (answer.status_code, answer["Content-Type"]) == (206, "application/vnd.pmtiles")
        asked.append(length)
        return body(answer)

    reader = Reader(piece)
    for z in (0, 8, 12):
        tile = tile_at(*Facility.objects.filter(status="open").earliest("id").geom.coords, z)
        live = anyone.get(f"/tiles/places/{tile.z}/{tile.x}/{tile.y}.mvt")
        assert gzip.decompress(reader.get(tile.z, tile.x, tile.y)) == live.content != b""
        assert zxy_to_tileid(tile.z, tile.x, tile.y) >= 0
    whole = anyone.get(FILE)
    content = body(whole)
    assert content == archive_path("places").read_bytes()
    assert sum(asked) < 3 * len(content)
    again = anyone.get(FILE, headers={"If-None-Match": whole["ETag"]})
    assert (again.status_code, body(again)) == (304, b"")
    assert anyone.get(FILE, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_it_is_made_again_when_the_rows_changed_and_not_for_every_edit(shallow: None) -> None:
    shi = signed_in("shi")
    shi.post(PLACES, {"act": "make"})
    run_job(job_id=jobs().get().pk)
    assert renew_archives() == 0
    place = Facility.objects.filter(status="open", retired_at=None).earliest("id")
    update_facility(facility_id=place.pk, changes={"phone": "021-60000009"}, scope=Scope.system("test"))
    assert "有变化，等待重做" in text(shi.get(PAGE))
    assert renew_archives() == 0  # it is but a moment old
    path = archive_path("places")
    old = dt.datetime.now().timestamp() - 3600
    os.utime(path, (old, old))
    before = path.read_bytes()
    assert [renew_archives(), renew_archives()] == [1, 0]
    assert path.read_bytes() == before
    assert run_job(job_id=jobs().last().pk).state == JobState.DONE
    assert path.read_bytes() != before
    assert renew_archives() == 0


def test_stopped_it_leaves_the_older_one_and_deleted_it_is_not_made_again(
    shallow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shi = signed_in("shi")
    shi.post(PLACES, {"act": "make"})
    run_job(job_id=jobs().get().pk)
    before = archive_path("places").read_bytes()
    shi.post(PLACES, {"act": "make"})
    shi.post(PLACES, {"act": "stop"})
    assert run_job(job_id=jobs().last().pk).state == JobState.CANCELLED

    monkeypatch.setattr("geo.jobs.progress.REPORT_EVERY_S", 0.0)
    shi.post(PLACES, {"act": "make"})
    drawn = archives.write_pmtiles

    def stopped_meanwhile(*args: Any, **given: Any) -> Any:
        Job.objects.filter(pk=jobs().last().pk).update(cancel_requested=True)
        return drawn(*args, **given)

    monkeypatch.setattr(archives, "write_pmtiles", stopped_meanwhile)
    assert run_job(job_id=jobs().last().pk).state == JobState.CANCELLED
    assert [each.name for each in archive_path("places").parent.iterdir()] == ["places.pmtiles"]
    assert archive_path("places").read_bytes() == before

    assert "已删除" in text(shi.post(PLACES, {"act": "delete"}, follow=True))
    assert "已经被删除" in text(shi.post(PLACES, {"act": "delete"}, follow=True))
    assert renew_archives() == 0
    assert Client(headers={"host": "localhost"}).get(FILE).status_code == 404
    assert shi.post(PLACES, {"act": "burn"}).status_code == 400
    assert shi.post("/desk/preloads/archives/nothing", {"act": "make"}).status_code == 404


def test_a_layer_that_is_not_for_everyone_has_no_file(shallow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    shi = signed_in("shi")
    shi.post(PLACES, {"act": "make"})
    run_job(job_id=jobs().get().pk)
    hidden = dataclasses.replace(layers()["places"], duty="settings.write", path="'310000.'")
    monkeypatch.setitem(layers(), "places", hidden)
    assert Client(headers={"host": "localhost"}).get(FILE).status_code == 404
    assert shi.post(PLACES, {"act": "make"}).status_code == 404
    renew_archives()
    assert not archive_path("places").exists()
