"""The world of the log centre: the tiny city with its demo accounts, and no log files but those of the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from geo.scope import Scope
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.kernel.logs.collecting import collect_logs


@pytest.fixture
def logs(city: Any, settings: Any, tmp_path: Path) -> Path:
    """Return the log file that is collected."""
    settings.DEVICE_LOGS = [str(tmp_path / "city.log")]
    cache.clear()
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    collect_all()
    return tmp_path / "city.log"


@pytest.fixture
def as_user(logs: Path) -> Callable[[str], Scope]:
    """Return a function from a demo account's name to its scope."""
    return lambda name: scope_of(Caller(User.objects.get(username=name)))


def collect_all() -> int:
    """Collect everything that is there: once to see the highest row, once to read up to it."""
    return sum(collect_logs(lag=dt.timedelta(0)) for _ in range(2))
