"""Who agreed to recommendations behind a request: an account by its consent, else a device by a cookie that holds its wishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from services.access.models import User
from services.access.queries import scope_for
from services.facilities.filters import Filters
from services.facilities.kinds import filterable_attributes
from services.modules.finder.recommending.actions import count_shown, note_trace
from services.modules.finder.recommending.models import TraceAct
from services.modules.finder.recommending.people import VERSION, Person
from services.modules.finder.recommending.queries import account_person, device_person, is_on
from services.modules.finder.recommending.wishes import Wishes, wishes_of

COOKIE: Final = "recommending"
KEPT_S: Final = 180 * 24 * 3600
"""A device is asked anew half a year after it agreed or stated something last."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the cookie of a device that agreed holds: its random number, what it states, and how often that was changed."""

    id: UUID
    wishes: Mapping[str, Wishes] = field(default_factory=dict)
    revision: int = 0


def device_of(request: HttpRequest) -> Device | None:
    """Return the device that agreed to the text as it is now; ``None`` for any other cookie."""
    try:
        held = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=KEPT_S)
        if held["version"] != VERSION:
            return None
        wishes = {side: wishes_of(each) for side, each in held["wishes"].items()}
        return Device(UUID(held["id"]), wishes, int(held["revision"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError, AttributeError):
        return None


def keep_on_device(response: HttpResponse, device: Device) -> None:
    """Let the device hold what it agreed to and states; no script reads it."""
    stated = {side: said for side, each in device.wishes.items() if (said := each.as_data())}
    held = {"id": str(device.id), "version": VERSION, "wishes": stated, "revision": device.revision}
    response.set_cookie(
        COOKIE,
        signing.dumps(held, salt=COOKIE, compress=True),
        max_age=KEPT_S,
        secure=settings.SECURE_TLS,
        httponly=True,
        samesite="Lax",
    )


def forget_on_device(response: HttpResponse) -> None:
    """Let the device forget it."""
    response.delete_cookie(COOKIE, samesite="Lax")


def city_recommends(request: HttpRequest) -> bool:
    """Say whether the city recommends at all; asked once for a request."""
    known: bool | None = getattr(request, "_quantu_recommends", None)
    if known is None:
        known = is_on(scope=scope_for(request))
        request._quantu_recommends = known  # type: ignore[attr-defined]
    return known


def agreed(request: HttpRequest) -> Person | None:
    """Return who agreed, whether the city has it on or not: an account decides for itself, whatever its device holds."""
    if isinstance(request.user, User):
        return account_person(request.user)
    device = device_of(request)
    return device_person(device.id, device.wishes, device.revision) if device else None


def person_of(request: HttpRequest) -> Person | None:
    """Return who is recommended something and whose acts are noted, asked once a request; nobody while the city has it off."""
    if not hasattr(request, "_quantu_person"):
        request._quantu_person = agreed(request) if city_recommends(request) else None  # type: ignore[attr-defined]
    found: Person | None = request._quantu_person  # type: ignore[attr-defined]
    return found


def trace(
    request: HttpRequest,
    act: TraceAct,
    *,
    place_id: int | None = None,
    shown: Sequence[int] = (),
    recommended: Sequence[int] = (),
    filters: Iterable[str] = (),
) -> None:
    """Note what was shown or done where somebody agreed, and count what was recommended; robots have been told apart before."""
    person = person_of(request)
    if person is not None:
        note_trace(person, act, place_id=place_id, shown=shown, recommended=recommended, filters=filters)
    count_shown(recommended)


def worded(filters: Filters) -> list[str]:
    """Return filters as traces keep them: the value only of what an institution declares, never ages, fees or places."""
    said = filters.params()
    declared = {key for key, one in filterable_attributes().items() if one.type in ("boolean", "choice")}
    found = []
    for part in filters.parts:
        values = said.get(part, "").split(",") if part in declared else []
        found += [f"{part}={value}" for value in values if value] or [part]
    return found
