"""A scratch database for benchmarks beside the caller's own, made for one run and dropped after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql

from web import environment

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database of its own, and the environment of processes that work on it."""

    environment: dict[str, str]

    def manage(self, *arguments: str) -> None:
        """Run a Django command on it, without its words."""
        self._run("manage.py", *arguments)

    def part(self, module: str, name: str) -> Any:
        """Run ``python -m tests.bench.MODULE NAME`` on it and return the JSON value of its last line."""
        return json.loads(self._run("-m", f"tests.bench.{module}", name).splitlines()[-1])

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


@contextmanager
def scratch(name: str) -> Iterator[Scratch]:
    """Make the database ``quantu_bench_NAME``, migrate it, and drop it in the end with the graphs that were built."""
    with tempfile.TemporaryDirectory() as graphs, _database(f"quantu_bench_{name}") as url:
        made = Scratch(_environment(url, graphs))
        made.manage("migrate", "--verbosity", "0")
        yield made


@contextmanager
def _database(name: str) -> Iterator[str]:
    environment.load_file()
    url = os.environ.get("DATABASE_URL", f"postgresql:///quantu?host={environment.STATE}/sock&user=quantu")
    parts = urlsplit(url)
    known = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    admin = {
        "host": parts.hostname or known.get("host"),
        "port": parts.port,
        "user": parts.username or known.get("user"),
        "password": parts.password,
        "dbname": parts.path.lstrip("/"),
    }
    # not WITH (FORCE): that would end PostgreSQL's own workers, too, and may not; they give way by themselves
    end = sql.SQL(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = {} AND usename = current_user AND backend_type = 'client backend'"
    ).format(sql.Literal(name))
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    _execute(admin, end, drop, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        address, _, query = url.partition("?")
        yield f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    finally:
        _execute(admin, end, drop)


def _execute(admin: dict[str, Any], *statements: sql.Composed) -> None:
    """Execute statements over a connection of their own: one kept for minutes would end with the tests that copy its database."""
    with psycopg.connect(**admin, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _environment(url: str, graphs: str) -> dict[str, str]:
    redis = os.environ.get("REDIS_URL", f"unix://{environment.STATE}/redis/redis.sock?db=0")
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": redis.rpartition("db=")[0] + "db=15",
        "QUANTU_GRAPHS": graphs,
        "QUANTU_LOG": "ERROR",
        "DJANGO_SETTINGS_MODULE": "web.settings",
    }
