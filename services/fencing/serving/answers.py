"""Answers about fences as the API writes them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.utils import timezone

from geo.addresses.gazetteer import Names
from geo.addresses.geocode import Penalty
from geo.addresses.positions import written
from geo.crs import System
from geo.fences.models import Fence
from geo.fences.purposes import ShapeKind, purpose_of
from services.fencing.live import LiveFences
from services.fencing.serving.checking import Checked, Located
from services.fencing.serving.listing import Version

OUTCOMES: Final = ("inside", "outside", "unknown", "error")


def checked_items(checked: Checked, names: Names, to: System) -> list[dict[str, Any]]:
    """Return the answer of each row, in the order they were asked."""
    told = _Told(checked.live, names)
    places = _places(checked.located, to)
    offsets, depths = checked.hits.offsets.tolist(), checked.depths.tolist()
    fences = [told(row) for row in checked.hits.fences.tolist()]
    holding = [
        {**fence, "depth_m": depth} for fence, depth in zip(fences, depths, strict=True)
    ]  # one dict a hit: the same fence holds many at different depths
    return [
        _item(row, own, holding[offsets[row] : offsets[row + 1]], checked, told, places)
        if row in checked.located or row in checked.faults or row in checked.unknown
        else _plain(row, own, holding[offsets[row] : offsets[row + 1]])
        for row, own in enumerate(checked.asked.ids)
    ]


def checked_columns(checked: Checked, names: Names) -> dict[str, Any]:
    """Return the answer by column: the fences met, and for each position which of them hold it and how deep."""
    told = _Told(checked.live, names)
    met = sorted(set(checked.hits.fences.tolist()))
    place = {row: number for number, row in enumerate(met)}
    offsets, depths = checked.hits.offsets.tolist(), checked.depths.tolist()
    numbers = [place[row] for row in checked.hits.fences.tolist()]
    return {
        "fences": [told(row) for row in met],
        "inside": [numbers[begin:end] for begin, end in zip(offsets, offsets[1:], strict=False)],
        "depth_m": [depths[begin:end] for begin, end in zip(offsets, offsets[1:], strict=False)],
        "errors": [
            {"row": row + 1, "id": checked.asked.ids[row], **_penalty(fault)}
            for row, fault in sorted(checked.faults.items())
        ],
    }


def tally(outcomes: Iterable[str]) -> dict[str, int]:
    """Return how many rows came to what."""
    counts = Counter(outcomes)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def outcomes_of(checked: Checked) -> Iterable[str]:
    """Return what each row comes to, in order."""
    offsets = checked.hits.offsets.tolist()
    for row in range(len(checked.asked)):
        if row in checked.faults:
            yield "error"
        elif row in checked.unknown:
            yield "unknown"
        else:
            yield "inside" if offsets[row + 1] > offsets[row] else "outside"


def fence_shape(fence: Fence, names: Names) -> dict[str, Any]:
    """Return what a stored fence says, without its shape."""
    edition, purpose = fence.edition, purpose_of(fence.edition.purpose)
    region = names.region(edition.district_id)
    return {
        "id": str(fence.same),
        "name": fence.name,
        "purpose": edition.purpose,
        "purpose_name": purpose.name if purpose else "",
        "owner": fence.owner,
        "district": {"code": region.code, "name": region.name} if region else None,
        "kind": fence.kind,
        "kind_name": ShapeKind(fence.kind).label,
        "from_day": fence.from_day.isoformat() if fence.from_day else None,
        "to_day": fence.to_day.isoformat() if fence.to_day else None,
        "hours": fence.hours,
        "edition": edition.number,
        "from_moment": _moment(edition.from_moment),
    }


def version_shape(version: Version, names: Names) -> dict[str, Any]:
    """Return a fence as one edition says it, with the time in which it counted."""
    return {
        **fence_shape(version.fence, names),
        "until": _moment(version.until),
        "note": version.fence.edition.note,
    }


def moment_text(at: dt.datetime) -> str:
    """Return a moment on the city's clocks."""
    return timezone.localtime(at).isoformat(timespec="seconds")


def _moment(at: dt.datetime | None) -> str | None:
    return None if at is None else timezone.localtime(at).isoformat()


class _Told:
    """What is told of a fence that holds something, made once for each."""

    def __init__(self, live: LiveFences, names: Names) -> None:
        self._live, self._names = live, names
        self._made: dict[int, dict[str, Any]] = {}

    def __call__(self, row: int) -> dict[str, Any]:
        found = self._made.get(row)
        if found is None:
            found = self._made[row] = self._tell(row)
        return found

    def _tell(self, row: int) -> dict[str, Any]:
        fence = self._live.fences[row]
        purpose, region = purpose_of(fence.purpose), self._names.region(fence.district_id)
        return {
            "id": self._live.index.ids[row],
            "name": fence.name,
            "purpose": fence.purpose,
            "purpose_name": purpose.name if purpose else "",
            "owner": fence.owner,
            "district": region.code if region else "",
            "edition": fence.number,
        }


def _plain(row: int, own: str | None, fences: Sequence[dict[str, Any]]) -> dict[str, Any]:
    outcome = "inside" if fences else "outside"
    return {"row": row + 1, "id": own, "outcome": outcome, "sure": True, "fences": fences, "error": None}


def _item(
    row: int,
    own: str | None,
    fences: Sequence[dict[str, Any]],
    checked: Checked,
    told: _Told,
    places: dict[int, dict[str, Any]],
) -> dict[str, Any]:
    fault, located = checked.faults.get(row) or checked.unknown.get(row), checked.located.get(row)
    answer = _plain(row, own, fences)
    if fault is not None:
        answer |= {"outcome": "error" if row in checked.faults else "unknown", "sure": False, "error": _penalty(fault)}
    if located is not None:
        answer |= {
            "sure": located.sure,
            "possible": [told(fence) for fence in located.possible],
            "address": places[row],
        }
    return answer


def _places(located: dict[int, Located], to: System) -> dict[int, dict[str, Any]]:
    found = [place.candidate for place in located.values()]
    points = written([one.lon for one in found], [one.lat for one in found], to)
    return {
        row: {
            "label": one.label,
            "level": one.level,
            "uncertainty_m": one.uncertainty_m,
            "lon": x,
            "lat": y,
            "penalties": [_penalty(penalty) for penalty in one.penalties],
        }
        for row, one, (x, y) in zip(located, found, points, strict=True)
    }


def _penalty(penalty: Penalty) -> dict[str, str]:
    return {"code": penalty.code, "reason": penalty.reason}
