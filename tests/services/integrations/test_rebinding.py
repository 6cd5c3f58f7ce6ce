"""Names that change what they mean between two answers, asked for through the base maps: one answer is checked and connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django.core.cache import cache

from services.integrations.basemaps.client import fetch_tile
from services.integrations.basemaps.schemas import Imagery, Kind
from services.integrations.basemaps.simulator import Simulator
from services.integrations.faults import NotReached
from tiles.schemes import tile_at

NAME: Final = "tiles.rebinding.test"
OUTSIDE: Final = "8.8.8.8"
LOOPBACK: Final = "127.0.0.1"
TILE: Final = tile_at(121.47, 31.23, 12)
Answers = Callable[..., list[str]]


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    settings.INSIDE_HOSTS, settings.BASE_MAP_TIMEOUT_S = [], 1.0
    cache.clear()
    with Simulator(key="") as simulator:
        yield simulator


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Return a function that says what the name means, one list of addresses a question, and collects the questions."""
    real = socket.getaddrinfo

    def says(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def resolve(host: str, port: Any, *given: Any, **named: Any) -> Any:
            if host != NAME:
                return real(host, port, *given, **named)
            found = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            return [each for address in found for each in real(address, port, *given, **named)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return asked

    return says


def imagery(running: Simulator) -> Imagery:
    port = running.url.rpartition(":")[2]
    return Imagery(
        key="img", name="影像", kind=Kind.WMTS, address=f"http://{NAME}:{port}/img_w/wmts", layer="img", style="default",
        matrix_set="w", matrix="{z}", picture="tiles", secret_name="", secret="",
    )  # fmt: skip


@pytest.mark.parametrize(
    "answers",
    [
        [[OUTSIDE], [LOOPBACK]],
        [[OUTSIDE, LOOPBACK]],
        [[LOOPBACK], [OUTSIDE]],
        [[LOOPBACK, OUTSIDE]],
        [["::1"]],
        [["::ffff:127.0.0.1"]],
        [["169.254.169.254"]],
        [["10.0.0.8"]],
    ],
)
def test_a_name_that_turns_inside_leads_to_nobody_inside(
    running: Simulator, resolver: Answers, answers: list[list[str]]
) -> None:
    asked = resolver(*answers)
    with pytest.raises(NotReached):
        fetch_tile(imagery(running), TILE.z, TILE.x, TILE.y)
    assert asked == [NAME]
    assert running.asked == []


def test_a_name_of_the_operator_is_connected_to_where_it_was_first_said_to_be(
    running: Simulator, resolver: Answers, settings: Any
) -> None:
    settings.INSIDE_HOSTS = [NAME]
    asked = resolver([LOOPBACK], ["127.0.0.2"])
    assert fetch_tile(imagery(running), TILE.z, TILE.x, TILE.y).kind == "image/png"
    assert asked == [NAME]
    assert len(running.asked) == 1
