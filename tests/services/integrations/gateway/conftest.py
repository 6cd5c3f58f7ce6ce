"""A gateway that runs, what connects the house to it, and telephones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from services.integrations.gateway.client import Asked
from services.integrations.gateway.container import Container, Shown
from services.integrations.gateway.simulator import Simulator

Telephones = Callable[..., Container]


@pytest.fixture
def gateway(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s" * 40, slow_s=60) as simulator:
        settings.GATEWAY_URL, settings.GATEWAY_APP, settings.GATEWAY_SECRET = simulator.url, "quantu", "s" * 40
        settings.GATEWAY_TIMEOUT_S, settings.INSIDE_HOSTS = 10, ["127.0.0.1"]
        yield simulator
    cache.clear()


@pytest.fixture
def telephone(gateway: Simulator) -> Telephones:
    def make(subject: str = "somebody", host: str = "testserver", **more: Any) -> Container:
        made = Container([gateway.authority.root], host)
        made.install(gateway.authority.issue(subject, made.key.public, **more).der)
        return made

    return make


def shown(asked: Asked) -> Shown:
    """Return a challenge as it reaches a telephone."""
    return Shown(asked.question, asked.site.der, asked.encryption.der, asked.signature)
