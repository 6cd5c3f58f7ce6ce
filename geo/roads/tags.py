"""What the tags of a way in OpenStreetMap's words mean for people on foot, on bicycles and in cars. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_KNOWN: Final = frozenset(
    {
        *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
        *("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "track"),
        *("pedestrian", "footway", "path", "steps", "cycleway", "ferry"),
    }
)
_MEANT: Final = {
    "road": "unclassified",
    "corridor": "footway",
    "elevator": "footway",
    "bridleway": "path",
    "busway": "service",
    "bus_guideway": "service",
}
_EXPRESS: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_WALKS: Final = frozenset({"footway", "pedestrian", "steps"})
_NO_CAR: Final = _WALKS | {"path", "cycleway"}
_YES: Final = frozenset({"yes", "true", "1", "t", "designated", "permissive", "official", "destination", "customers"})
_NO: Final = frozenset(
    {
        "no",
        "false",
        "0",
        "f",
        "private",
        "use_sidepath",
        "delivery",
        "agricultural",
        "forestry",
        "emergency",
        "military",
    }
)
_CHAINS: Final = {
    "foot": ("foot", "access"),
    "bicycle": ("bicycle", "vehicle", "access"),
    "car": ("motorcar", "motor_vehicle", "vehicle", "access"),
}
_CLOCK: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})")
_ISO: Final = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Way:
    """What a way is: its class, who may use it, in which direction vehicles go (1 along, -1 against, 0 both)."""

    highway: str
    oneway: int
    foot: bool
    bicycle: bool
    car: bool
    bridge: bool
    tunnel: bool
    steps: bool
    ferry: bool
    kerb: bool
    duration_s: float | None


def way_of(tags: Mapping[str, Any]) -> Way | None:
    """Return what the tags of a way mean; None for what is no road in use (planned, under construction, a platform)."""
    said = {name: _word(value) for name, value in tags.items() if value is not None}
    highway = "ferry" if said.get("route") == "ferry" else said.get("highway", "")
    highway = _MEANT.get(highway, highway)
    if highway not in _KNOWN:
        return None
    ferry = highway == "ferry"
    return Way(
        highway=highway,
        oneway=_oneway(highway, said),
        foot=_may("foot", said, default=highway not in _EXPRESS or _has_sidewalk(said)),
        bicycle=_may("bicycle", said, default=highway not in _EXPRESS | _WALKS),
        car=_may("car", said, default=highway not in _NO_CAR and not ferry and not _buses_only(said)),
        bridge=said.get("bridge", "no") not in _NO | {""},
        tunnel=said.get("tunnel", "no") not in _NO | {"", "building_passage"},
        steps=highway == "steps",
        ferry=ferry,
        kerb=said.get("kerb") in {"raised", "yes", "true", "1"} or said.get("barrier") == "kerb",
        duration_s=seconds_of(str(tags.get("duration") or "")) if ferry else None,
    )


def seconds_of(text: str) -> float | None:
    """Return a ``duration`` in seconds: ``00:15`` is hours and minutes, ``15`` minutes; also ``0:15:30``, ``PT15M``."""
    text = text.strip()
    if text.isdigit():
        return float(text) * 60 or None
    clock = _CLOCK.fullmatch(text)
    if clock:
        first, second, third = clock[1], int(clock[2]), int(clock[3])
        seconds = int(first) * 3600 + second * 60 + third if first else second * 3600 + third * 60
        return float(seconds) or None
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        hours, minutes, seconds_ = (int(part or 0) for part in iso.groups())
        return float(hours * 3600 + minutes * 60 + seconds_) or None
    return None


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()


def _oneway(highway: str, said: Mapping[str, str]) -> int:
    word = said.get("oneway", "")
    if word in {"-1", "reverse"}:
        return -1
    if word in {"yes", "true", "1", "t"}:
        return 1
    if word in {"", "none"} and (said.get("junction") in {"roundabout", "circular"} or highway.startswith("motorway")):
        return 1
    # a reversible lane has no direction that holds all day
    return 0


def _may(who: str, said: Mapping[str, str], *, default: bool) -> bool:
    """Follow the chain of access tags from the most special to the general; words we do not know say nothing."""
    for name in _CHAINS[who]:
        word = said.get(name, "")
        if word in _NO:
            return False
        if word in _YES:
            # a general "yes" opens a road to the public, it does not make stairs fit for cars
            return default if name in {"access", "vehicle"} else True
    return default


def _has_sidewalk(said: Mapping[str, str]) -> bool:
    return any(said.get(name) in {"both", "left", "right", "yes"} for name in ("sidewalk", "sidewalk:both"))


def _buses_only(said: Mapping[str, str]) -> bool:
    return said.get("highway") in {"busway", "bus_guideway"}
