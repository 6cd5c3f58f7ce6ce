"""Questions of the drawing engine to the database: each has its time, and one that takes longer is told, not waited for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from geo.errors import Unavailable

TIMEOUT_MS: Final = 4_000


def ask(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement. Raises ``Unavailable`` when it takes longer than ``TIMEOUT_MS``.

    The limit and the statement travel together, as one transaction: half of the time of a small tile is the way there and back.
    """
    inside = connection.in_atomic_block
    try:
        with transaction.atomic() if inside else nullcontext(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}; {statement}", parameters)
            cursor.nextset()
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Unavailable("tile_slow", "这块地图画得太慢，已经停下。请放大一级再看。", retry_after=5) from error
        raise
