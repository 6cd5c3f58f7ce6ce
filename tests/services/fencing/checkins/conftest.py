"""A centre with its visits, and a face service that knows one of its workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from services.integrations.faces.simulator import Simulator
from tests.services.fencing.checkins.visiting import Centre, face, make_centre


@pytest.fixture
def centre(city: None, tmp_path: Path, settings: Any) -> Centre:
    settings.MEDIA_ROOT = tmp_path / "media"
    return make_centre()


@pytest.fixture
def faces(centre: Centre, settings: Any) -> Iterator[Simulator]:
    cache.clear()
    known = {str(user.uid): face("a") for user in (centre.worker, centre.other)}
    with Simulator(app="quantu", secret="s3cret", known=known) as simulator:
        settings.FACES_URL, settings.FACES_APP, settings.FACES_SECRET = simulator.url, "quantu", "s3cret"
        settings.FACES_TIMEOUT_S, settings.INSIDE_HOSTS = 2.0, ["127.0.0.1"]
        yield simulator
