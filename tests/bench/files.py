"""Kept files: sealed as they come and opened as they go, beside the same files kept plain; rotation, and the seal of a password.

Keys in files and the key service's simulator over HTTP; the database is not touched.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.report import Bar

SIZE = 20_000_000
PART = 65_536
SECONDS = 1.5


def run() -> list[Bar]:
    """Return the lines of writing, reading, one part, rotation of one file, and opening one password here and there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
    import django

    django.setup()
    logging.getLogger("services.integrations.http").setLevel(logging.ERROR)  # a line for each of a thousand questions
    from django.conf import settings

    before = settings.MEDIA_ROOT, settings.KEYSTORE, settings.KEYSTORE_MADE_HERE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings.MEDIA_ROOT, settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = folder / "media", folder / "keys", True
        try:
            return [*_files(folder), *_passwords(folder)]
        finally:
            settings.MEDIA_ROOT, settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = before


def _files(folder: Path) -> list[Bar]:
    from geo.kept import PlainKeeper, keep_file, kept_by, open_file
    from services.crypto.house import house_keys
    from services.crypto.keeping import SealingKeeper, renew_file
    from services.crypto.port import Purpose
    from services.crypto.sealing import newest_id

    source, target = folder / "source", folder / "media" / "attachments" / "a"
    source.write_bytes(os.urandom(SIZE))
    rates: dict[str, list[float]] = {}
    for name, keeper in (("plain", PlainKeeper()), ("sealed", SealingKeeper())):
        kept_by(keeper)
        write = _seconds(lambda: keep_file(source, target))

        def read() -> None:
            with open_file(target) as content:
                while content.read(1 << 18):
                    pass

        def read_part() -> None:
            with open_file(target) as content:
                content.seek(SIZE // 2)
                content.read(PART)

        rates[name] = [SIZE / write / 1e6, SIZE / _seconds(read) / 1e6, _seconds(read_part) * 1e3]
    keys = house_keys()

    def rotate() -> None:
        renew_file(target, keys=keys, newest=newest_id(Purpose.SEAL, keys=keys))

    turned = []
    for _ in range(5):
        keys.add_key(Purpose.SEAL)
        begun = time.perf_counter()
        rotate()
        turned.append(time.perf_counter() - begun)
    sealed, plain = rates["sealed"], rates["plain"]
    size = f"{SIZE // 1_000_000} MB"
    return [
        Bar(f"a file of {size} kept sealed", sealed[0], plain[0], sealed[0] / plain[0], "MB/s", "the same kept plain"),
        Bar(f"a file of {size} read", sealed[1], plain[1], sealed[1] / plain[1], "MB/s", "the same kept plain"),
        Bar("64 KiB out of its middle", sealed[2], plain[2], plain[2] / sealed[2], "ms", "the same kept plain"),
        Bar(f"rotation of a file of {size}", min(turned) * 1e3, None, None, "ms", "synced twice, content untouched"),
    ]


def _passwords(folder: Path) -> list[Bar]:
    from django.conf import settings

    from services.access.passwords import SealedHasher, opened_hash
    from services.integrations.keyservice.simulator import Simulator

    hasher = SealedHasher()
    before = settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP, settings.KEY_SERVICE_SECRET, settings.INSIDE_HOSTS
    kept = hasher.encode("correct horse battery", "s" * 22)
    here = _seconds(lambda: opened_hash(kept))
    whole = _seconds(lambda: hasher.verify("correct horse battery", kept))
    with Simulator(app="bench", secret="s" * 40, folder=folder / "remote") as service:
        settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP = service.url, "bench"
        settings.KEY_SERVICE_SECRET, settings.INSIDE_HOSTS = "s" * 40, ["127.0.0.1"]
        try:
            remote = hasher.encode("correct horse battery", "s" * 22)
            there = _seconds(lambda: opened_hash(remote))
        finally:
            settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP, settings.KEY_SERVICE_SECRET, settings.INSIDE_HOSTS = (
                before
            )
    note = "of the whole check of a password, which takes the peer's time"
    return [
        Bar("the seal of a password opened here", here * 1e3, whole * 1e3, whole / here, "ms", note),
        Bar("the seal of a password opened by the key service", there * 1e3, whole * 1e3, whole / there, "ms", note),
    ]


def _seconds(work: Callable[[], object]) -> float:
    """Return the least time of a call among those that fit into a moment, three at least."""
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(taken) < 3 or time.perf_counter() < end:
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)
