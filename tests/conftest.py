"""The ground tests stand on: real PostGIS, real Redis, a real worker and a real browser.

``db`` (pytest-django's) is an empty migrated database, rolled back after each test. ``city`` is the same over the tiny invented
city. ``live_city`` is the URL of a server in this process over a fresh copy of that city, where writes are committed; ``page`` is a
browser that reaches no other host. Do not mix ``city`` or ``live_city`` with the ``django_db`` mark.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection, connections
from django.test.testcases import LiveServerThread
from hypothesis import HealthCheck
from hypothesis import settings as trials
from psycopg.pq import TransactionStatus
from pytest_django.plugin import DjangoDbBlocker

from tests.reading import CHROMIUM, wait_before_presses, wait_before_reads

# A busy machine stops for seconds in the middle of anything: how long an example takes says nothing of what is tested.
trials.register_profile("house", trials(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
trials.load_profile("house")

BLOCKED = "a test browser reaches no host but ours"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the test's Redis database clean from the last run."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real data where it is absent; in CI with the data present nothing is skipped."""
    absent = not settings.DATA.is_dir()
    for item in items:
        if absent and item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=f"no real data at {settings.DATA.name}; set QUANTU_DATA"))


@pytest.fixture(autouse=True)
def _kinds_as_declared() -> None:
    """Begin each test with the kinds of facility that the code declares: what a test before it added is rolled back."""
    from services.facilities.kinds.current import forget

    forget()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the real data; only for tests marked ``data``."""
    return Path(settings.DATA)


# Databases: <test> is empty, <test>_city holds the tiny city, <test>_real the real one, <test>_live is a copy of either that a live
# server writes to.


_kept: dict[str, Any] = {}
"""Connections of this process to databases that tests come back to, by their names: a fresh one loads PostGIS and PROJ anew."""


def _use(name: str) -> str:
    """Let every new connection of this process go to a database, and return the name used before."""
    before = str(settings.DATABASES["default"]["NAME"])
    for alias in connections:
        held = connections[alias]
        if held.connection is not None and not held.closed_in_transaction and _is_idle(held.connection):
            _kept[before] = held.connection
            held.connection = None
        held.close()
        held.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name
    connection.connection = _kept.pop(name, None)
    return before


def _leave(name: str) -> None:
    """Close the connection that is kept to a database."""
    if name in _kept:
        _kept.pop(name).close()


def _is_idle(connected: Any) -> bool:
    return not connected.closed and connected.info.transaction_status == TransactionStatus.IDLE


def _end_sessions(cursor: Any, name: str) -> None:
    """End the sessions that threads of earlier tests left in a database: it cannot be copied or dropped under them.

    PostgreSQL's own workers in it (autovacuum) are not ours to end; they give way by themselves.
    """
    cursor.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = %s AND backend_type = 'client backend' AND usename = current_user AND pid <> pg_backend_pid()
        """,
        [name],
    )


def _drop(cursor: Any, name: str) -> None:
    """Drop a database; not WITH (FORCE), which would end PostgreSQL's own workers too, and may not."""
    _leave(name)
    _end_sessions(cursor, name)
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


def _copy(template: str, name: str) -> None:
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        _leave(template)
        _end_sessions(cursor, template)
        _drop(cursor, name)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the test databases as pytest-django does; before they are dropped, end the sessions that threads of tests left."""
    yield
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        _end_sessions(cursor, str(connection.settings_dict["NAME"]))
        connection.close()


@pytest.fixture(scope="session")
def _empty_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the test database also for a run in which every test comes to it through a city, which pytest-django cannot see."""
    from django.test.utils import setup_databases, teardown_databases

    if connection.settings_dict["NAME"] == connection.creation._get_test_db_name():
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def city_database(_empty_database: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Make the database of the tiny city once per test process, with its road graph, and return its name."""
    from fixtures.load import load
    from routing.actions import rebuild_graph
    from services.access.actions import declare_roles

    with django_db_blocker.unblock():
        empty = str(connection.settings_dict["NAME"])
        name = f"{empty}_city"
        connection.close()
        _copy(empty, name)
        _use(name)
        load(scale="tiny")
        declare_roles()
        rebuild_graph()
        connection.close()
        _use(empty)
    yield name
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        _drop(cursor, name)


@pytest.fixture
def _on_city(city_database: str) -> Iterator[None]:
    before = _use(city_database)
    yield
    _use(before)


@pytest.fixture
def city(_on_city: None, db: None) -> None:
    """Give the test the tiny invented city; what it writes is rolled back."""


class RealCity(NamedTuple):
    """The database of the real Shanghai, imported over the tiny city as its operators would do it, and what the import reported."""

    database: str
    report: dict[str, Any]


@pytest.fixture(scope="session")
def real_city_database(city_database: str, data_folder: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[RealCity]:
    """Import the real data over a copy of the tiny city once per test process; without a road graph. Tests write to copies."""
    name = f"{city_database.removesuffix('_city')}_real"
    with django_db_blocker.unblock():
        _copy(city_database, name)
        before = _use(name)
        said = io.StringIO()
        call_command("import_data", str(data_folder), "--commit", "--json", stdout=said)
        connection.close()
        _use(before)
    yield RealCity(name, json.loads(said.getvalue()))
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        _drop(cursor, name)


@pytest.fixture
def _on_real_city(real_city_database: RealCity) -> Iterator[None]:
    before = _use(real_city_database.database)
    yield
    _use(before)


@pytest.fixture
def real_city(real_city_database: RealCity, _on_real_city: None, db: None) -> RealCity:
    """Give the test the real city; what it writes is rolled back."""
    return real_city_database


class _Serving(ThreadedWSGIServer):
    """Keeps the connection to the database as long as a browser keeps its own, as a pool does in the house."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        connection.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": None}
        super().process_request_thread(request, client_address)


class _Server(LiveServerThread):
    server_class = _Serving

    def _create_server(self, connections_override: Any = None) -> Any:
        return super()._create_server()  # no connection of the test's own: what it writes must be committed


@pytest.fixture(scope="session")
def _live_server(_empty_database: None) -> Iterator[str]:
    server = _Server("localhost", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    if "localhost" not in settings.ALLOWED_HOSTS:
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost"]
    yield f"http://localhost:{server.port}"
    server.terminate()


def forget_kept() -> None:
    """Begin with nothing kept, in Redis or by this process: what a test changed past the editions bears the name of the city as it was."""
    from tiles import held
    from web.doors.maps import tiles as door

    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    held._HELD.clear()
    door._KNOWN.clear()


@pytest.fixture
def live_city(_live_server: str, city_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Return the URL of a server in this process over a fresh copy of the tiny city; writes are committed there."""
    name = city_database.removesuffix("_city") + "_live"
    with django_db_blocker.unblock():
        _copy(city_database, name)
        before = _use(name)
        forget_kept()
        yield _live_server
        connection.close()
        _use(before)
        with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            _drop(cursor, name)


@pytest.fixture
def worker() -> Iterator[None]:
    """Run a real Celery worker on the real Redis in a thread of this process; use it with ``live_city`` or ``transactional_db``."""
    from celery.contrib.testing.worker import start_worker

    from web.celery import app

    app.loader.import_default_modules()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield


# A browser


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    wait_before_reads()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                # other hosts are not found; a route that stops them would take the browser's cache away
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
                # pages are painted and put together without a graphics card; only maps ask for one, which is then emulated
                "--disable-gpu-compositing",
                "--disable-gpu-rasterization",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
            ],
        )
        yield browser
        browser.close()


COARSE = "Object.defineProperty(window, 'devicePixelRatio', {get: () => 0.5});"
"""Lets maps draw a quarter of their points: without a graphics card each frame costs by the point. Nothing else looks at it."""


class Watch:
    """What a browser must not do while a test looks on: reach other hosts, break our content policy, throw."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.lock = threading.Lock()

    def note(self, fault: str) -> None:
        with self.lock:
            self.faults.append(fault)


@pytest.fixture
def open_page(_browser: Any) -> Iterator[Any]:
    """Return a function that opens a browser page of a size: ``open_page(390, 844, javaScriptEnabled=False)``.

    Maps are drawn coarsely unless a ``device_scale_factor`` is asked for.
    When the test ends, any request to another host, content-policy violation or uncaught error fails it.
    """
    contexts = []
    watch = Watch()

    def lost(request: Any) -> None:
        if "//localhost" not in request.url and not request.url.startswith(("data:", "blob:")):
            watch.note(f"{BLOCKED}: {request.url}")

    def hear(message: Any) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            watch.note(message.text)

    def open_(width: int = 390, height: int = 844, **options: Any) -> Any:
        context = _browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai", **options
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        if "device_scale_factor" not in options:
            context.add_init_script(COARSE)
        context.on("requestfailed", lost)
        if options.get("java_script_enabled", True):
            context.on("page", wait_before_presses)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: watch.note(f"uncaught: {error}"))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert watch.faults == []


@pytest.fixture
def page(open_page: Any) -> Any:
    """Return a phone-sized browser page."""
    return open_page(390, 844, has_touch=True)
