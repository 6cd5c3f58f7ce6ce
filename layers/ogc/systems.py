"""The coordinate systems of ``/ogc`` by their URIs, each with the order of axes it declares. Pure.

A plane of our own has no number anybody else knows: its URI is an address below the service's own root, where it is described.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyproj

from geo.crs import City, System
from geo.crs.codes import ZONES
from geo.errors import BadInput, NotFound
from layers.filtering import FilterCrs

OGC: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
OWN: Final = "crs/"


@dataclass(frozen=True, slots=True)
class OgcCrs:
    """A system positions may be given and answered in; ``name`` is its URI, or the path of ours below the root.

    ``swapped`` says that it declares latitude or north first. ``decimals`` keep a centimetre in degrees, a millimetre in metres.
    """

    name: str
    system: System
    title: str
    swapped: bool

    def uri(self, root: str) -> str:
        """Return the URI, below ``root`` when it is ours."""
        return f"{root}/{self.name}" if self.name.startswith(OWN) else self.name

    @property
    def filter_crs(self) -> FilterCrs:
        """Return how positions in questions are read."""
        return FilterCrs(self.system, self.swapped)

    @property
    def srid(self) -> int:
        """Return the number PostGIS answers in; WGS 84 and CGCS2000 are the same numbers, so nothing is moved for it."""
        moved = System.CGCS2000 if self.system is System.WGS84 else self.system
        if moved.srid is None:
            raise ValueError(f"{self.system} is unknown to PostGIS")
        return moved.srid

    @property
    def decimals(self) -> int:
        """Return how many decimals an answer keeps."""
        return 7 if self.system.is_geographic else 3


CRS84: Final = OgcCrs(OGC, System.WGS84, "WGS 84（经度、纬度）", swapped=False)
STORAGE: Final = OgcCrs(f"{EPSG}{System.CGCS2000.srid}", System.CGCS2000, "CGCS2000（纬度、经度）", swapped=True)


@cache
def systems_of(city: City) -> tuple[OgcCrs, ...]:
    """Return the systems of a city, the default first: the world's, the zones its box lies in, and its own plane."""
    zones = [
        OgcCrs(f"{EPSG}{system.srid}", system, f"{system.label}（北、东）", swapped=True)
        for system, zone in ZONES.items()
        if not zone.prefixed
        and zone.central_meridian - zone.width / 2 < city.bbox.east
        and city.bbox.west < zone.central_meridian + zone.width / 2
    ]
    own = city.plane
    planes = [OgcCrs(f"{OWN}{own.key}", own.system, f"{own.name}（东、北）", swapped=False)]
    return (
        CRS84,
        STORAGE,
        OgcCrs(f"{EPSG}{System.WGS84.srid}", System.WGS84, "WGS 84（纬度、经度）", swapped=True),
        OgcCrs(f"{EPSG}{System.WEB_MERCATOR.srid}", System.WEB_MERCATOR, "Web 墨卡托（东、北）", swapped=False),
        *zones,
        *(one for one in planes if own.system is System.SH2000),
    )


def crs_named(uri: str, *, city: City, root: str, parameter: str) -> OgcCrs:
    """Return the system of a URI. Raises ``BadInput`` with the URIs there are."""
    known = {one.uri(root): one for one in systems_of(city)}
    if uri not in known:
        raise BadInput("crs_unknown", f"参数 {parameter} 的坐标系不在可用之列，请用列出的 URI。", known=list(known))
    return known[uri]


def own_crs(key: str, *, city: City) -> OgcCrs:
    """Return a system that is ours, by the last part of its URI. Raises ``NotFound``."""
    found = next((one for one in systems_of(city) if one.name == f"{OWN}{key}"), None)
    if found is None:
        raise NotFound("crs_unknown", "没有这个坐标系。")
    return found


def described(city: City, uri: str) -> dict[str, Any]:
    """Describe a city's own plane: its URI, WKT 2, PROJJSON, PROJ parameters, order of axes, area and how far it is proven."""
    plane = city.plane
    crs = pyproj.CRS.from_wkt(plane.spatial_reference().srtext)
    area = plane.valid_area
    return {
        "id": uri,
        "title": plane.name,
        "axes": ["E", "N"],
        "axisOrder": "东、北（先横后纵），单位米",
        "accuracy": plane.label,
        "provenance": plane.provenance,
        "effective": plane.effective.isoformat() if plane.effective else None,
        "bbox": [area.west, area.south, area.east, area.north],
        "proj": plane.spatial_reference().proj4text,
        "wkt2": crs.to_wkt("WKT2_2019", pretty=True),
        "projjson": crs.to_json_dict(),
    }
