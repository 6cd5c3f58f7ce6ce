"""Regions as a map draws them under figures: simplified together, so that neighbours still share their border."""

from __future__ import annotations

import json
from typing import Final

import numpy as np
import shapely

from geo.regions.models import RegionVersion
from geo.regions.queries import boundaries, published_edition
from layers.heat.keeping import kept

SIMPLER_DEGREES: Final = {"district": 0.001, "street": 0.0004}
DIGITS: Final = 0.00001


def outlines_of(level: str) -> dict[str, str]:
    """Return the shapes of the published regions of a level by path, each the text of a GeoJSON geometry in degrees."""
    edition = published_edition()
    key = ("outlines", level, edition.pk if edition else 0, str(edition.published_at if edition else ""))
    return kept(key, lambda: _outlines(level))


def _outlines(level: str) -> dict[str, str]:
    path_of = dict(RegionVersion.objects.filter(edition__state="published", level=level).values_list("pk", "path"))
    if not path_of:
        return {}
    found = boundaries(path_of)
    whole = np.array(list(found.values()), dtype=object)
    simple = shapely.set_precision(shapely.coverage_simplify(whole, SIMPLER_DEGREES[level]), DIGITS, mode="pointwise")
    texts = (json.dumps(json.loads(text), separators=(",", ":")) for text in shapely.to_geojson(simple))
    return {path_of[pk]: text for pk, text in zip(found, texts, strict=True)}
