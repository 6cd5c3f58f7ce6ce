"""Our side of 一张图: addresses and positions are asked, fences and appointments are told; its answers must lie in the city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import BaseModel, ValidationError

from geo.crs import SHANGHAI, Coordinate, System, convert
from geo.errors import BadInput
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Answer as Replied
from services.integrations.http import Upstream, ask
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
    FencesHeld,
    FencesPushed,
    HeldAsked,
    PlaceSaid,
    PlacesSaid,
    PositionAsked,
)
from services.integrations.signing import signed_headers

Said = TypeVar("Said", bound=BaseModel)
NAME: Final = "“一张图”"
ANSWER_S: Final = 3.0
"""How long somebody at a page waits for what is only a second opinion."""
DEGREES: Final = ((119.0, 124.0), (29.0, 33.0))
"""Longitudes and latitudes around the city: metres east and north of its origin that are really degrees."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that 一张图 says an address may be, in CGCS2000 degrees."""

    label: str
    lon: float
    lat: float
    uncertainty_m: float


@dataclass(frozen=True, slots=True)
class OneMap:
    """The back end this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def places_of(self, address: str) -> list[Place]:
        """Return the places an address may be, as they rank them; none where they do not know it.

        Raises ``NotReached``, and ``AnswerUnclear`` for an answer that cannot be meant: unreadable, of another datum, or with a
        place outside the city.
        """
        said = self._answered(GEOCODE_PATH, AddressAsked(address=address), PlacesSaid)
        _check_datum(said.crs)
        return [_placed(each) for each in said.places]

    def address_at(self, lon: float, lat: float) -> AddressSaid:
        """Return what they say is at a position (CGCS2000 degrees). Raises ``NotReached``, ``AnswerUnclear``."""
        x, y = metres_of(lon, lat)
        return self._answered(REVERSE_PATH, PositionAsked(x=x, y=y), AddressSaid)

    def fences_held(self, *, purpose: str, district: str) -> FencesHeld:
        """Return the fences they hold of a purpose and district (code). Raises ``NotReached``, ``AnswerUnclear``."""
        return self._answered(HELD_PATH, HeldAsked(purpose=purpose, district=district), FencesHeld)

    def tell_fences(self, fences: FencesPushed) -> Code:
        """Tell a whole edition of fences; the same may be told again. Raises as ``tell_appointment``."""
        return self._told(FENCES_PATH, fences)

    def tell_appointment(self, appointment: AppointmentPushed) -> Code:
        """Tell where an appointment is, and return what they say. The same may be told again: it counts once.

        Raises ``NotReached`` when it certainly did not arrive, ``AnswerUnclear`` when nobody knows.
        """
        return self._told(APPOINTMENTS_PATH, appointment)

    def _told(self, path: str, content: BaseModel) -> Code:
        answer = self._post(path, content)
        try:
            return Answer.model_validate_json(answer.body).code
        except ValidationError as fault:
            raise _unreadable(answer) from fault

    def _answered(self, path: str, content: BaseModel, said: type[Said]) -> Said:
        answer = self._post(path, content)
        if answer.status != 200:
            raise AnswerUnclear("refused", f"{NAME}没有答复（{answer.status}）。", status=answer.status)
        try:
            return said.model_validate_json(answer.body)
        except ValidationError as fault:
            raise _unreadable(answer) from fault

    def _post(self, path: str, content: BaseModel) -> Replied:
        body = content.model_dump_json().encode()
        target = urlsplit(self.upstream.root).path.rstrip("/") + path
        signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=target, body=body)
        return ask(self.upstream, "POST", path, body=body, headers={"Content-Type": "application/json", **signed})


def metres_of(lon: float, lat: float) -> tuple[float, float]:
    """Return CGCS2000 degrees as metres of 上海2000, to the millimetre."""
    found = convert(Coordinate(lon, lat, System.CGCS2000), System.SH2000)
    return round(found.x, 3), round(found.y, 3)


def _placed(said: PlaceSaid) -> Place:
    """Return a place in degrees. Raises ``AnswerUnclear`` for degrees said to be metres, and for a place outside the city."""
    if all(low < value < high for value, (low, high) in zip((said.x, said.y), DEGREES, strict=True)):
        raise AnswerUnclear("datum_wrong", f"{NAME}给的像是经纬度，不是上海2000的米，没有采用。")
    try:
        found = convert(Coordinate(said.x, said.y, System.SH2000), System.CGCS2000)
    except BadInput as fault:
        raise _outside() from fault
    box = SHANGHAI.bbox
    if not (box.west <= found.x <= box.east and box.south <= found.y <= box.north):
        raise _outside()
    return Place(said.label, round(found.x, 7), round(found.y, 7), said.uncertainty_m)


def _check_datum(crs: str) -> None:
    if crs.upper() != CRS:
        raise AnswerUnclear("datum_wrong", f"{NAME}的答复写的坐标系不是上海2000，没有采用。")


def _outside() -> AnswerUnclear:
    return AnswerUnclear("answer_outside", f"{NAME}给的位置不在上海，没有采用。")


def _unreadable(answer: Replied) -> AnswerUnclear:
    return AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status)


def is_connected() -> bool:
    """Say whether a back end is configured."""
    return bool(settings.ONE_MAP_URL and settings.ONE_MAP_APP and settings.ONE_MAP_SECRET)


def one_map(*, total_s: float = ANSWER_S) -> OneMap:
    """Return the configured back end, which is waited for so many seconds. Raises ``NotConnected`` when there is none."""
    if not is_connected():
        raise NotConnected("not_connected", f"{NAME}未接通：请系统管理员配置地址、应用编号和密钥。")
    host = (urlsplit(settings.ONE_MAP_URL).hostname or "").lower()
    upstream = Upstream(
        key="onemap", name=NAME, root=settings.ONE_MAP_URL, inside=host in settings.INSIDE_HOSTS,
        connect_s=min(2.0, total_s), total_s=total_s,
    )  # fmt: skip
    return OneMap(upstream, settings.ONE_MAP_APP, settings.ONE_MAP_SECRET)
