"""./run start, stop, services, doctor, manage: repeatable, interruptible, and clean after being killed."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from tests.run.conftest import ROOT, House, make_house


def answers(house: House) -> bool:
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        row = connection.execute("select st_srid(st_transform(st_setsrid(st_makepoint(121, 31), 4326), 3857)), datcollate, pg_trgm.v"
                                 " from pg_database, (select array_length(show_trgm('托育机构'), 1) as v) as pg_trgm where datname = current_database()").fetchone()  # fmt: skip
    assert row == (3857, "C.UTF-8", 5)
    return bool(redis.Redis.from_url(house.setting("REDIS_URL")).ping())


def health(house: House) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/health", timeout=10) as answer:
        assert answer.status == 200
        found: dict[str, object] = json.load(answer)
    return found


def within(seconds: float, condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def processes_of(house: House) -> list[str]:
    """Return the command lines of living processes that mention the state folder or stand in its database folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(house.state) in line:
                found.append(line)
    return found


def test_services_start_once_and_come_back_after_being_killed(house: House) -> None:
    house.run("services")
    assert answers(house)
    cluster = house.setting("DATABASE_URL")
    with psycopg.connect(cluster) as connection:
        connection.execute("create table kept (n int); insert into kept values (7)")
        (backend,) = connection.execute("select pg_backend_pid()").fetchone() or (0,)
    assert "Starting" not in house.run("services").stderr
    os.kill(house.process("redis"), signal.SIGKILL)
    os.kill(parent_of(backend, cluster), signal.SIGKILL)
    house.run("services")
    assert answers(house)
    with psycopg.connect(cluster) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)
    house.run("stop")
    assert processes_of(house) == []


def parent_of(backend: int, cluster: str) -> int:
    """Return the number of the server behind a backend; the backend may have gone, so a new one is asked."""
    with psycopg.connect(cluster) as connection:
        (backend,) = connection.execute("select pg_backend_pid()").fetchone() or (backend,)
        return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_city_starts_answers_survives_a_kill_and_stops(house: House) -> None:
    house.run("start")
    assert health(house)["ok"] is True
    assert health(house)["graph"] == {"ok": False, "detail": "NoGraph"}
    within(30, lambda: health(house)["worker"] == {"ok": True, "detail": "heard of lately"})
    with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/static/vendor/maplibre-gl.mjs", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{house.port}/sse/fences/events", timeout=10)
    assert (refused.value.code, json.load(refused.value)["code"]) == (401, "signature_invalid")
    assert "already runs" in house.run("start").stderr
    os.kill(house.process("runner"), signal.SIGKILL)
    house.run("start")
    assert health(house)["ok"] is True
    logs = "".join(path.read_text(errors="replace") for path in (house.state / "logs").glob("*.log"))
    urllib.request.urlopen(f"http://127.0.0.1:{house.port}/health?q=secret-home-address", timeout=10).read()
    house.run("stop")
    logs = "".join(path.read_text(errors="replace") for path in (house.state / "logs").glob("*.log"))
    assert "/health" in logs
    assert "secret-home-address" not in logs
    assert processes_of(house) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", house.port)) != 0


def test_in_the_foreground_with_https_until_ctrl_c(house: House) -> None:
    process = house.begin("--tls")
    assert process.stderr is not None
    said = ""
    while "Ctrl-C stops everything" not in said:
        line = process.stderr.readline()
        assert line, f"./run ended early:\n{said}"
        said += line
    assert f"https://127.0.0.1:{house.port}/" in said
    context = ssl.create_default_context(cafile=str(house.state / "tls" / "certificate.pem"))
    with urllib.request.urlopen(f"https://127.0.0.1:{house.port}/health", context=context, timeout=10) as answer:
        assert answer.status == 200
    assert (house.state / "tls" / "key.pem").stat().st_mode & 0o077 == 0
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert processes_of(house) == []


def test_an_interrupted_start_ends_cleanly_and_can_be_repeated(house: House) -> None:
    process = house.begin("start")
    steps = house.state / "logs" / "start_postgres.log"
    until = time.monotonic() + 30
    while not steps.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    house.run("services")
    assert answers(house)


def test_a_load_that_was_broken_off_leaves_nothing_running_and_is_made_up_for(house: House) -> None:
    (house.state / "left-empty").unlink()
    house.settings["QUANTU_SCALE"] = "tiny"
    process = house.begin("start")
    log = house.state / "logs" / "invented.log"
    until = time.monotonic() + 60
    while not (log.exists() and "发布演示城市" in log.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not [line for line in processes_of(house) if "redis-server" not in line and "postgres" not in line]
    house.run("start")
    with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/api/v1/places?kinds=nursery", timeout=10) as answer:
        assert json.load(answer)["places"]


def test_a_port_held_by_a_stranger_is_named(house: House) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", house.port))
        stranger.listen()
        said = house.run("start", code=1).stderr
    assert f"port {house.port} is in use" in said
    assert "PORT=" in said


def test_a_database_of_yours_is_used_and_none_of_ours_started(house: House, tmp_path: Path) -> None:
    house.run("services")
    other = make_house(tmp_path / "other")
    other.settings = {"DATABASE_URL": house.setting("DATABASE_URL"), "REDIS_URL": house.setting("REDIS_URL")}
    assert "Starting PostgreSQL" not in other.run("services").stderr
    assert not (other.state / "pg").exists()
    assert not (other.state / "redis").exists()
    assert "server of yours" in other.run("reset", "--yes", code=1).stderr
    assert other.run("manage", "migrate", "--noinput").returncode == 0
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        assert connection.execute("select count(*) from django_migrations").fetchone() != (0,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_needs_no_rights(tmp_path: Path) -> None:
    somebody = pwd.getpwnam("nobody")
    folder = Path("/var/tmp") / f"quantu-test-{os.getpid()}"
    house = make_house(folder)
    house.prefix = [
        "setpriv",
        f"--reuid={somebody.pw_uid}",
        f"--regid={somebody.pw_gid}",
        "--clear-groups",
        "env",
        f"HOME={folder}",
    ]
    try:
        for path in (folder, house.state, house.state / "left-empty"):
            os.chown(path, somebody.pw_uid, somebody.pw_gid)
        try:
            house.run("services")
            assert answers(house)
            assert (house.state / "pg").stat().st_uid == somebody.pw_uid
        finally:
            house.run("reset", "--yes")
    finally:
        shutil.rmtree(folder)


def test_reset_without_a_terminal_asks_for_yes(house: House) -> None:
    house.run("services")
    assert "--yes" in house.run("reset", code=1).stderr
    assert answers(house)


def test_doctor_names_what_is_down_and_how_to_mend_it(house: House) -> None:
    said = house.run("doctor", code=1).stdout
    assert "PostgreSQL does not answer" in said
    assert "./run services" in said


def test_help_lists_every_command_and_unknown_ones_fail(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    text = house.run("--help").stdout
    script = (ROOT / "run").read_text()
    commands = script.split("    start | ", 1)[1].split(")", 1)[0].split(" | ")
    assert [command for command in commands if f"./run {command}" not in text] == []
    assert "unknown command" in house.run("fly", code=1).stderr
    said = house.run("import", code=1).stderr
    assert "what to import" in said
