"""An import killed with -9 at its worst moments: what was published stays as it was, and repeating it finishes the work."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection, transaction

from geo.addresses.models import Community
from geo.imports.models import ImportRun, RunState, Source
from services.facilities.models import Facility
from tests.geo.imports.worlds import places, write_rows

pytestmark = pytest.mark.django_db(transaction=True)

MANIFEST = """
[[source]]
key = "estates"
family = "communities"
file = "estates.csv"
datum = "wgs84"
x = "lon"
y = "lat"
ext_id = ["id"]
columns = { name = "name" }
[[source]]
key = "places"
family = "facilities"
file = "places.csv"
datum = "wgs84"
x = "lon"
y = "lat"
ext_id = ["id"]
columns = { kind = "kind", name = "name" }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "quantu-import.toml").write_text(MANIFEST)
    write_rows(tmp_path, places(300), "estates.csv")
    write_rows(tmp_path, places(300), "places.csv")
    return tmp_path


@pytest.fixture
def start(folder):
    """Return a function that starts the real command on the test database, in a process of its own."""
    begun = []
    settings_ = connection.settings_dict
    url = (
        f"postgresql:///{settings_['NAME']}?host={settings_['HOST']}&user={settings_['USER']}&port={settings_['PORT']}"
    )
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    def run():
        command = [sys.executable, "-W", "ignore", "manage.py", "import_data", str(folder), "--commit"]
        process = subprocess.Popen(
            command, cwd=settings.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def waiting(table):
    """Wait until another process waits for a lock on a table."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody came to wait for {table}")


def gone(process):
    """Wait until the database has noticed that the killed process is gone and has rolled its work back."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle'"
            )
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.05)


# Where the import is held while it is killed: reading the second file; publishing, with the first family merged already.
@pytest.mark.parametrize("table", ["imports_draftrow", "facilities_facility"])
def test_a_killed_import_leaves_nothing_half_published_and_can_be_repeated(start, table):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        process = start()
        waiting(table)
        os.kill(process.pid, signal.SIGKILL)
    gone(process)
    assert not Community.objects.exists()
    assert not Facility.objects.exists()
    assert not Source.objects.filter(published_at__isnull=False).exists()
    assert not ImportRun.objects.filter(state=RunState.PUBLISHED).exists()

    again = start()
    _, said = again.communicate(timeout=200)
    assert again.returncode == 0, said.decode()[-2000:]
    assert (Community.objects.count(), Facility.objects.count()) == (300, 300)
    assert Source.objects.filter(published_at__isnull=False).count() == 2
