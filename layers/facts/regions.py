"""Regions of every edition as those of today: where what was counted in one stands now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Count, Max

from geo.answering import once
from geo.regions.models import Region, RegionSuccession, RegionVersion
from geo.regions.queries import as_today, published_edition
from geo.regions.records import LEVELS
from geo.scope import Scope

_KEPT: Final[dict[object, Standing]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Of every region that ever was (rows): its id, the path where it stands today, the share of it that went there.

    ``main`` is true once for each region: where most of it went. What nothing is known of is left out.
    """

    ids: npt.NDArray[np.int64]
    paths: npt.NDArray[np.str_]
    shares: npt.NDArray[np.float64]
    main: npt.NDArray[np.bool_]

    def seen_by(self, scope: Scope) -> Standing:
        """Return those that lie in the scope's regions, whatever its duties."""
        if "" in scope.paths:
            return self
        chosen = np.array([scope.covers_path(str(path)) for path in self.paths], dtype=np.bool_)
        return Standing(self.ids[chosen], self.paths[chosen], self.shares[chosen], self.main[chosen])


def standing() -> Standing:
    """Return where all regions stand in the published edition."""
    key = once("standing", _key)
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = _made(as_today(Region.objects.values_list("pk", flat=True)))
    return _KEPT[key]


def depth_of(level: str) -> int:
    """Return how many codes a path of a level holds."""
    return LEVELS.index(level) + 1


def above(path: str, level: str) -> str:
    """Return the path of the region of a level that holds another; '' where the other is larger."""
    codes = path.split(".")[:-1]
    depth = depth_of(level)
    return ".".join(codes[:depth]) + "." if len(codes) >= depth else ""


def _key() -> object:
    edition, told = published_edition(), RegionSuccession.objects.aggregate(Count("pk"), Max("pk"))
    return connection.settings_dict["NAME"], edition and (edition.pk, edition.published_at), *told.values()


def _made(today: dict[int, dict[int, float]]) -> Standing:
    paths = dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "path"))
    rows = [
        (region, paths[successor], share, at == 0)
        for region, shares in today.items()
        for at, (successor, share) in enumerate(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
        if successor in paths
    ]
    return Standing(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.str_),
        np.array([row[2] for row in rows], dtype=np.float64),
        np.array([row[3] for row in rows], dtype=np.bool_),
    )
