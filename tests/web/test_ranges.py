"""Files that answer ranges, asked for many, overlapping and absurd ones: no answer is larger than the file, none is a fault."""

from __future__ import annotations

import http.client
import os
import threading
from pathlib import Path
from typing import Final

import pytest

from tests.web.test_sending import ask, nginx

__all__ = ["nginx"]
CONTENT: Final = os.urandom(1_000_000)
ARCHIVE: Final = "/tiles/places.pmtiles"
ABSURD: Final = {
    "many of one byte": "bytes=" + ",".join(f"{at}-{at}" for at in range(3_000)),
    "all of it very often": "bytes=" + ",".join(["0-"] * 4_000),
    "ends very often": "bytes=" + ",".join(["-999999"] * 2_000),
    "halves that overlap": "bytes=" + ",".join(f"{at}-700000" for at in range(1_500)),
    "beyond all numbers": "bytes=0-" + "9" * 400,
    "beyond the end": "bytes=99999999999999999999-",
    "backwards": "bytes=500-100",
    "no numbers": "bytes=a-b",
    "another unit": "lines=0-1",
    "nothing": "bytes=",
    "commas": "bytes=" + "," * 5_000,
    "less than nothing": "bytes=--5",
}


@pytest.fixture
def archive(nginx: int, tmp_path: Path) -> int:
    """Lay an archive where nginx reads it, and return its port."""
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "places.pmtiles").write_bytes(CONTENT)
    return nginx


@pytest.mark.django_db(transaction=True)
def test_absurd_ranges_of_an_archive_bring_no_more_than_the_file(archive: int) -> None:
    for name, said in ABSURD.items():
        answer, body = ask(archive, ARCHIVE, Range=said)
        assert answer.status in {200, 206, 416}, name
        assert len(body) <= len(CONTENT) + 4_096, name
        assert answer.status != 200 or body == CONTENT, name
    answer, body = ask(archive, ARCHIVE, Range="bytes=100-199")
    assert (answer.status, body) == (206, CONTENT[100:200])


@pytest.mark.django_db(transaction=True)
def test_a_head_that_is_too_long_is_refused(archive: int) -> None:
    answer, _ = ask(archive, ARCHIVE, Range="bytes=" + ",".join(f"{at}-" for at in range(20_000)))
    assert answer.status in {400, 431}


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_for_ranges_and_leave_keep_nobody_else_waiting(archive: int) -> None:
    lines = []
    for _ in range(200):
        line = http.client.HTTPConnection("127.0.0.1", archive, timeout=20)
        line.request("GET", ARCHIVE, headers={"Host": "localhost", "Range": "bytes=0-999998"})
        lines.append(line)  # nothing is read
    found: list[tuple[int, bytes]] = []

    def read() -> None:
        answer, body = ask(archive, ARCHIVE, Range="bytes=0-9")
        found.append((answer.status, body))

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(10)
    for line in lines:
        line.close()
    assert found == [(206, CONTENT[:10])] * 8
