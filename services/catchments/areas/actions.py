"""The areas of a draft of catchments: drawn as all areas are (``geo.fences.areas``), each with its kindergarten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geo.errors import BadInput
from geo.fences.areas import Areas
from geo.fences.drafting import Told
from services.catchments.areas.queries import table_of
from services.catchments.changes import AREAS, DRAFTS
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentEdition

MOST_AREAS: Final = 400


def _about(edition: CatchmentEdition, given: Mapping[str, Any]) -> Told:
    """Return the kindergarten that an area may lead to. Raises ``BadInput`` that says why another may not."""
    target = int(given.get("target") or 0)
    site = ground_of(edition.district_id, targets=[target] if target else []).sites.get(target)
    if site is None:
        raise BadInput("area_targetless", "请选这个片区的对口园。", fields={"target": "请选对口园。"})
    if site.fault:
        said = f"“{site.name}”{site.fault}，请选本区开办的幼儿园。"
        raise BadInput("area_target_unfit", said, fields={"target": said})
    return {"target_id": target}


def _told(before: Told, after: Told) -> str:
    return "，改了对口园" if before["target_id"] != after["target_id"] else ""


CATCHMENT_AREAS: Final = Areas(DRAFTS, AREAS, table_of, _about, _told, "片区", MOST_AREAS)
