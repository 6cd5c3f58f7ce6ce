"""The contract with the back end of 一张图, as both sides speak it: JSON over HTTP, every request signed.

Positions are metres east (``x``) and north (``y``) on 上海2000, and every body that holds one says so in ``crs``.

* ``POST /onemap/v1/geocode``: the places an address may be, best first.
* ``POST /onemap/v1/reverse``: the address at a position, with its 小区 and 街镇.
* ``POST /onemap/v1/fences``: a whole edition of fences, in place of the one they held of that purpose and district.
* ``POST /onemap/v1/fences/held``: the fences they hold of a purpose and district, for comparing.
* ``POST /onemap/v1/appointments``: where an appointment is and what became of it. Of one appointment the highest ``version``
  counts, whatever comes in which order; ``push_id`` is ours, and the same one again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

GEOCODE_PATH: Final = "/onemap/v1/geocode"
REVERSE_PATH: Final = "/onemap/v1/reverse"
FENCES_PATH: Final = "/onemap/v1/fences"
HELD_PATH: Final = "/onemap/v1/fences/held"
APPOINTMENTS_PATH: Final = "/onemap/v1/appointments"
CRS: Final = "SH2000"
MOST_PLACES: Final = 10
MOST_FENCES: Final = 5_000
Metres = Annotated[float, Field(allow_inf_nan=False, ge=-10_000_000, le=10_000_000)]
Words = Annotated[str, Field(max_length=200)]
Mark = Annotated[str, Field(min_length=1, max_length=64)]


class Plain(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AddressAsked(Plain):
    """An address to be found."""

    address: Annotated[str, Field(min_length=1, max_length=200)]


class PlaceSaid(Plain):
    """A place an address may be, as they write it, with the radius in metres that they give it."""

    label: Annotated[str, Field(min_length=1, max_length=200)]
    x: Metres
    y: Metres
    uncertainty_m: Annotated[float, Field(ge=0, le=100_000)] = 50.0


class PlacesSaid(Plain):
    """The places of an address; none where they do not know it."""

    crs: Annotated[str, Field(max_length=20)]
    places: Annotated[list[PlaceSaid], Field(max_length=MOST_PLACES)]


class PositionAsked(Plain):
    """A position of which the address is asked."""

    crs: str = CRS
    x: Metres
    y: Metres


class AddressSaid(Plain):
    """What is at a position; '' for what they do not know."""

    address: Words = ""
    community: Words = ""
    street: Words = ""


class FencePushed(Plain):
    """One fence: our mark, its name, who answers for it, its area in m² and its shape, a GeoJSON polygon in metres."""

    mark: Mark
    name: Annotated[str, Field(min_length=1, max_length=120)]
    owner: Words = ""
    area_m2: Annotated[float, Field(gt=0)]
    shape: dict[str, Any]


class FencesPushed(Plain):
    """A whole edition of fences of one purpose in one district (code)."""

    push_id: Mark
    crs: str = CRS
    purpose: Annotated[str, Field(min_length=1, max_length=20)]
    district: Annotated[str, Field(min_length=1, max_length=20)]
    number: Annotated[int, Field(ge=1)]
    begins: AwareDatetime
    fences: Annotated[list[FencePushed], Field(max_length=MOST_FENCES)]


class HeldAsked(Plain):
    """Of which purpose and district the fences are asked."""

    purpose: Annotated[str, Field(min_length=1, max_length=20)]
    district: Annotated[str, Field(min_length=1, max_length=20)]


class FenceHeld(Plain):
    """One fence as they hold it: our mark, and the area that they measure of it."""

    mark: Mark
    area_m2: Annotated[float, Field(ge=0)]


class FencesHeld(Plain):
    """The edition they hold, number 0 for none."""

    number: Annotated[int, Field(ge=0)]
    fences: Annotated[list[FenceHeld], Field(max_length=MOST_FENCES)]


class AppointmentPushed(Plain):
    """Where an appointment is, and what it is now: nobody's name, no telephone. ``fence`` is our mark, '' outside all fences."""

    push_id: Mark
    number: Annotated[str, Field(min_length=1, max_length=40)]
    version: Annotated[int, Field(ge=1)]
    state: Annotated[str, Field(min_length=1, max_length=20)]
    wanted_on: dt.date
    crs: str = CRS
    x: Metres
    y: Metres
    uncertainty_m: Annotated[float, Field(ge=0)]
    address: Words
    site: Words = ""
    fence: Annotated[str, Field(max_length=64)] = ""
    fence_name: Annotated[str, Field(max_length=120)] = ""
    changed_at: AwareDatetime


class Code(StrEnum):
    """What they say of what they were told."""

    TAKEN = "taken"
    BAD_CONTENT = "bad_content"
    BUSY = "busy"
    NOT_SIGNED = "not_signed"


FINAL: Final = frozenset({Code.BAD_CONTENT})
"""The refusals that will never become anything else."""


class Answer(Plain):
    """The answer to what they were told."""

    code: Code
