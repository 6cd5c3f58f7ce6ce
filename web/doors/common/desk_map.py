"""What a map of ours on a page of the desk needs."""

from __future__ import annotations

from typing import Any

from geo.imports.queries import attribution
from geo.regions.queries import current_city


def map_context() -> dict[str, Any]:
    """Return the box of the city, and whom a map of it must name."""
    box = current_city().bbox
    return {"city_box": f"{box.west},{box.south},{box.east},{box.north}", "attribution": attribution()}
