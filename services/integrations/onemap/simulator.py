"""A back end of 一张图 to try against: a real HTTP server that keeps what it is told and fails in each known way."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import shapely
from shapely.geometry import shape

from services.integrations.onemap.schemas import (
    APPOINTMENTS_PATH,
    CRS,
    FENCES_PATH,
    GEOCODE_PATH,
    HELD_PATH,
    REVERSE_PATH,
    AddressAsked,
    AddressSaid,
    Answer,
    AppointmentPushed,
    Code,
    FenceHeld,
    FencesHeld,
    FencesPushed,
    HeldAsked,
    PlaceSaid,
    PlacesSaid,
    Plain,
    PositionAsked,
)
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator

NEAR_M: Final = 300.0
Fails = Literal["", "broken", "garbage", "datum", "degrees", "outside", "silent", "busy"]


@dataclass(frozen=True, slots=True)
class Door:
    """An address it knows, in metres of 上海2000."""

    address: str
    x: float
    y: float
    community: str = ""
    street: str = ""


class Simulator(SignedSimulator):
    """A running back end; use it as a context manager. ``doors`` and ``fails`` may change while it runs.

    ``appointments`` is what it holds of each by number, ``told`` every push it took, ``fences`` the editions it holds.

    ``fails``: ``broken`` answers 500, ``garbage`` a page of maintenance, ``datum`` names another system, ``degrees`` sends
    degrees as metres, ``outside`` a place in another city, ``silent`` takes what it is told and hangs up, ``busy`` takes nothing.
    """

    def __init__(self, *, app: str, secret: str, doors: Sequence[Door] = (), port: int = 0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.doors = list(doors)
        self.appointments: dict[str, AppointmentPushed] = {}
        self.told: dict[str, AppointmentPushed] = {}
        self.fences: dict[tuple[str, str], FencesPushed] = {}
        self.asked: list[str] = []
        self.fails: Fails = ""
        self._holding = threading.Lock()
        super().__init__(app=app, secret=secret, port=port)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Answer, or take what it is told, or fail as it was told to."""
        self.asked.append(path)
        if self.fails == "broken":
            return Reply(500, b"Internal Server Error")
        if self.fails == "garbage":
            return Reply(200, GARBAGE_PAGE)
        if path == GEOCODE_PATH:
            return _json(self._places(AddressAsked.model_validate_json(body).address))
        if path == REVERSE_PATH:
            return _json(self._at(PositionAsked.model_validate_json(body)))
        if path == HELD_PATH:
            return _json(self._held(HeldAsked.model_validate_json(body)))
        return self._take(path, body)

    def _places(self, address: str) -> PlacesSaid:
        found = [
            PlaceSaid(label=door.address, x=door.x, y=door.y, uncertainty_m=20.0)
            for door in self.doors
            if address in door.address or door.address in address
        ]
        if self.fails == "degrees":
            found = [each.model_copy(update={"x": 121.48, "y": 31.22}) for each in found]
        if self.fails == "outside":
            found = [each.model_copy(update={"x": each.x - 300_000}) for each in found]
        return PlacesSaid(crs="WGS84" if self.fails == "datum" else CRS, places=found)

    def _at(self, asked: PositionAsked) -> AddressSaid:
        def metres(door: Door) -> float:
            return math.hypot(door.x - asked.x, door.y - asked.y)

        door = min(self.doors, key=metres, default=None)
        if door is None or metres(door) > NEAR_M:
            return AddressSaid()
        return AddressSaid(address=door.address, community=door.community, street=door.street)

    def _held(self, asked: HeldAsked) -> FencesHeld:
        edition = self.fences.get((asked.purpose, asked.district))
        if edition is None:
            return FencesHeld(number=0, fences=[])
        held = [FenceHeld(mark=each.mark, area_m2=_measured(each.shape)) for each in edition.fences]
        return FencesHeld(number=edition.number, fences=held)

    def _take(self, path: str, body: bytes) -> Reply | None:
        if path not in (APPOINTMENTS_PATH, FENCES_PATH):
            return Reply(404, b"{}")
        if self.fails == "busy":
            return _json(Answer(code=Code.BUSY), 503)
        with self._holding:
            if path == FENCES_PATH:
                fences = FencesPushed.model_validate_json(body)
                self.fences[fences.purpose, fences.district] = fences
            else:
                self._keep(AppointmentPushed.model_validate_json(body))
        return None if self.fails == "silent" else _json(Answer(code=Code.TAKEN))

    def _keep(self, told: AppointmentPushed) -> None:
        if told.push_id in self.told:
            return
        self.told[told.push_id] = told
        known = self.appointments.get(told.number)
        if known is None or known.version < told.version:
            self.appointments[told.number] = told


def _measured(drawn: Mapping[str, object]) -> float:
    return round(float(shapely.area(shape(drawn))), 1)


def _json(said: Plain, status: int = 200) -> Reply:
    return Reply(status, said.model_dump_json().encode())
