"""Writes of travel: the road graph is built anew from the published roads and takes the place of the old one at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from django.conf import settings

from geo.basemap.queries import water_surfaces
from geo.imports.models import Family, Provenance
from geo.imports.queries import published_sources
from geo.regions.queries import current_city
from geo.roads.queries import Segments, current_segments
from routing.edges import RoadEdges, highway_codes
from routing.graph import GraphStore, build_graph
from routing.water import MIN_AREA_M2


def rebuild_graph() -> Path:
    """Build the graph of all published roads, with the water between them, and make it current; return its folder.

    Between real roads lies only real water. Readers go on with the version they hold until they look again. Raises
    ``BadRoads`` when nothing is published and ``AlreadyBuilding`` when another process builds.
    """
    sources = list(published_sources(Family.ROADS))
    real = any(source.provenance == Provenance.REAL for source in sources)
    days = [source.as_of for source in sources if source.as_of]
    return build_graph(
        road_edges(current_segments()),
        current_city().plane,
        GraphStore(settings.GRAPH_ROOT).versions,
        source="、".join(source.title for source in sources),
        as_of=max(days).isoformat() if days else "",
        water=water_surfaces(provenance=Provenance.REAL if real else Provenance.INVENTED, least_m2=MIN_AREA_M2),
    )


def road_edges(segments: Segments) -> RoadEdges:
    """Return published segments in the columns the builder takes; the outer id of an edge is its row id."""
    offsets, lon, lat = segments.points()
    return RoadEdges(
        ext_id=segments.ids,
        from_node=segments.from_node,
        to_node=segments.to_node,
        highway=highway_codes(segments.highway.tolist()),
        oneway=segments.oneway,
        foot=segments.foot,
        bicycle=segments.bicycle,
        car=segments.car,
        bridge=segments.bridge,
        tunnel=segments.tunnel,
        steps=segments.steps,
        ferry=segments.ferry,
        kerb=segments.kerb,
        duration_s=segments.duration_s.astype(np.float64),
        offsets=offsets,
        lon=lon,
        lat=lat,
    )
