"""Metre planes: transverse Mercator grids with their parameters, provenance, valid area and proof by control points."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from geo.crs import codes
from geo.crs.codes import ZONES, SpatialReference, System
from geo.crs.coordinates import Bbox, FloatArray, blank_outside, refuse_blanks
from geo.crs.faults import BadGrid
from geo.crs.series import ECCENTRICITY2, FORWARD, INVERSE_FLATTENING, RECTIFYING_RADIUS, SEMI_MAJOR
from geo.crs.verification import TOLERANCE_M, ControlPoint, Verification, assess

AccuracyClass: TypeAlias = Literal["defined", "unverified", "verified"]
"""``defined``: by its authority, exact. ``unverified``: parameters from public sources. ``verified``: by control points."""

PARK_HOTEL: Final = (121 + 28 / 60 + 1.74 / 3600, 31 + 14 / 60 + 7.61 / 3600)
"""Longitude and latitude of the flagpole of the Park Hotel, the origin of the city's grid."""
SHANGHAI_MERIDIAN: Final = 121 + 27 / 60 + 52 / 3600
PACKED_MERIDIAN: Final = 121.2751921
FORMER_NORTHING: Final = -3457147.81
ORIGIN_TOLERANCE_M: Final = 3.0
EDGE: Final = 1e-9
"""Degrees (0.1 mm) that rounding may carry a point on the edge of the valid area."""
CONFIGURATION: Final = "QUANTU_SH2000_FILE"


@dataclass(frozen=True)
class LocalGrid:
    """A transverse Mercator plane on CGCS2000: degrees of longitude and latitude to metres (east, north) and back.

    ``valid_area`` is where the grid may be used: points outside are refused. ``accuracy_m`` is what is claimed of it,
    and ``provenance`` by whom. Frozen: verification gives another grid.
    """

    key: str
    name: str
    system: System
    srid: int
    central_meridian: float
    scale: float
    false_easting: float
    false_northing: float
    valid_area: Bbox
    provenance: str
    accuracy_class: AccuracyClass
    accuracy_m: float
    effective: date | None = None
    verification: Verification | None = None

    @cached_property
    def _radius(self) -> float:
        return self.scale * RECTIFYING_RADIUS

    @property
    def is_verified(self) -> bool:
        """Say whether results may be shown without the warning of ``label``."""
        return self.accuracy_class != "unverified"

    @property
    def label(self) -> str:
        """Return the Chinese words that must stand beside every result on this plane."""
        if self.accuracy_class == "defined":
            return "标准投影，参数由国家标准规定"
        proof = self.verification
        if proof is not None and not proof.verified and proof.max_m > self.accuracy_m:
            return f"控制点验证未通过，最大相差 {proof.max_m:.2f} 米"
        if proof is None or not proof.verified:
            return f"未经控制点验证，±{self.accuracy_m:g} 米"
        return f"已用 {proof.count} 个控制点验证，中误差 {proof.rms_m:.3f} 米，最大 {proof.max_m:.3f} 米"

    def forward(self, lon: FloatArray | float, lat: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """Project degrees (lon, lat) of CGCS2000 to metres (east, north), in the shape given.

        Raises ``NotFinite`` for NaN and ``OutOfRange`` for points outside ``valid_area``.
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        plane = self.project(x, y)
        refuse_blanks((x, y), plane, f"“{self.name}”")
        return plane

    def inverse(self, east: FloatArray | float, north: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """Return degrees (lon, lat) of CGCS2000 of metres (east, north), in the shape given; raises as ``forward``."""
        x, y = np.asarray(east, dtype=np.float64), np.asarray(north, dtype=np.float64)
        degrees = self.unproject(x, y)
        refuse_blanks((x, y), degrees, f"“{self.name}”")
        return degrees

    def project(self, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Project as ``forward``, but give NaN for points outside the valid area instead of refusing them all."""
        return self._krueger(*blank_outside(lon, lat, self.valid_area), forward=True)

    def unproject(self, east: FloatArray, north: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return degrees as ``inverse``, but NaN for points outside the valid area instead of refusing them all."""
        degrees = self._krueger(*blank_outside(east, north, self.plane_bounds), forward=False)
        return blank_outside(*degrees, self.valid_area.widened(EDGE))

    @cached_property
    def plane_bounds(self) -> Bbox:
        """Return the box in metres (east, north) around the valid area, 1 m wider."""
        area = self.valid_area
        edge = np.linspace(0.0, 1.0, 65)
        lons = area.west + (area.east - area.west) * edge
        lats = area.south + (area.north - area.south) * edge
        lon = np.concatenate([lons, lons, np.full(65, area.west), np.full(65, area.east)])
        lat = np.concatenate([np.full(65, area.south), np.full(65, area.north), lats, lats])
        east, north = self._krueger(lon, lat, forward=True)
        # the curved edges bulge between the samples by less than a ten-thousandth of the width
        slack = 1.0 + 1e-4 * float(east.max() - east.min())
        return Bbox(
            float(east.min()) - slack, float(north.min()) - slack, float(east.max()) + slack, float(north.max()) + slack
        )

    def verify(self, points: Sequence[ControlPoint], tolerance_m: float = TOLERANCE_M) -> Verification:
        """Compare the grid with control points; see ``verification.assess`` for what makes it verified.

        Raises ``BadGrid`` when there is no point, ``OutOfRange`` when one lies outside the valid area.
        """
        if not points:
            raise BadGrid("control_points_missing", "没有控制点，无法验证。请提供测绘部门出具的成对坐标。")
        lon, lat = np.array([[point.lon, point.lat] for point in points]).T
        return assess(points, *self.forward(lon, lat), tolerance_m)

    def spatial_reference(self) -> SpatialReference:
        """Return the row of ``spatial_ref_sys`` that teaches PostGIS this plane (axes east, north)."""
        proj4 = (
            f"+proj=tmerc +lat_0=0 +lon_0={self.central_meridian!r} +k={self.scale!r} +x_0={self.false_easting!r}"
            f" +y_0={self.false_northing!r} +ellps=GRS80 +units=m +no_defs"
        )
        wkt = (
            f'PROJCS["{self.name}",GEOGCS["China Geodetic Coordinate System 2000",DATUM["China_2000",'
            f'SPHEROID["CGCS2000",{SEMI_MAJOR!r},{INVERSE_FLATTENING!r}]],PRIMEM["Greenwich",0],'
            'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
            f'PARAMETER["central_meridian",{self.central_meridian!r}],PARAMETER["scale_factor",{self.scale!r}],'
            f'PARAMETER["false_easting",{self.false_easting!r}],PARAMETER["false_northing",{self.false_northing!r}],'
            'UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
        )
        return SpatialReference(self.srid, "QUANTU", self.srid, wkt, proj4)

    @cached_property
    def forward_terms(self) -> dict[str, Any]:
        """Return all that ``forward`` rests on, as JSON can hold it: a browser gets the very same metres from it.

        ``series`` are Krüger's coefficients from conformal to rectifying; ``radius`` the rectifying radius times the scale.
        """
        area = self.valid_area
        return {
            "name": self.name,
            "label": self.label,
            "meridian": self.central_meridian,
            "eccentricity2": ECCENTRICITY2,
            "series": list(FORWARD),
            "radius": self._radius,
            "east": self.false_easting,
            "north": self.false_northing,
            "area": [area.west, area.south, area.east, area.north],
        }

    def verified_by(self, proof: Verification) -> LocalGrid:
        """Return this grid carrying a verification; it counts as verified only when the proof says so."""
        if self.accuracy_class == "defined":
            return replace(self, verification=proof)
        return replace(self, verification=proof, accuracy_class="verified" if proof.verified else "unverified")

    def _krueger(self, x: FloatArray, y: FloatArray, *, forward: bool) -> tuple[FloatArray, FloatArray]:
        from geo.crs import kernels

        out_x, out_y = np.empty(x.size), np.empty(x.size)
        kernel = kernels.tmerc_forward if forward else kernels.tmerc_inverse
        kernel(
            np.ascontiguousarray(x).reshape(-1),
            np.ascontiguousarray(y).reshape(-1),
            out_x,
            out_y,
            self.central_meridian,
            self._radius,
            self.false_easting,
            self.false_northing,
        )
        return out_x.reshape(x.shape), out_y.reshape(x.shape)


def gauss_kruger(system: System) -> LocalGrid:
    """Return the plane of a Gauss–Krüger zone; raises KeyError for a system that is none.

    Usable to 6 degrees either side of its meridian, between the equator and 60°N, whatever the zone's width: neighbouring
    zones overlap in practice.
    """
    zone = ZONES[system]
    return LocalGrid(
        key=str(system),
        name=system.label,
        system=system,
        srid=int(system.removeprefix("epsg:")),
        central_meridian=zone.central_meridian,
        scale=1.0,
        false_easting=zone.false_easting,
        false_northing=0.0,
        valid_area=Bbox(zone.central_meridian - 6.0, 0.0, zone.central_meridian + 6.0, 60.0),
        provenance="EPSG",
        accuracy_class="defined",
        accuracy_m=0.0,
        effective=date(2008, 7, 1),
    )


PUBLIC_SHANGHAI_2000: Final = LocalGrid(
    key="sh2000",
    name="上海2000",
    system=System.SH2000,
    srid=codes.SHANGHAI_2000,
    central_meridian=121.464444444444,
    scale=1.00000256185,
    false_easting=-257.85859273,
    false_northing=-3457087.73141366,
    valid_area=Bbox(120.4, 30.2, 122.8, 32.4),
    provenance="公开来源的参数；两个互相独立的来源在全市范围内相差 0.55–0.97 米；官方未公布",
    accuracy_class="unverified",
    accuracy_m=1.0,
    effective=date(2021, 1, 1),
)


def shanghai_grid(parameters: Mapping[str, Any]) -> LocalGrid:
    """Return the 上海2000 grid of a deployment's own parameters, control points, or both.

    Keys: ``central_meridian`` (decimal degrees), ``scale``, ``false_easting``, ``false_northing`` (metres) and ``provenance``
    (who says so), all or none of them; optional ``accuracy_m``; and ``control_points``, a list of objects with ``name``,
    ``lon``, ``lat``, ``east``, ``north``. Raises ``BadGrid`` for the faults seen in public code. The result counts as verified
    only when the control points prove it.
    """
    grid = PUBLIC_SHANGHAI_2000
    if set(parameters) - {"control_points"}:
        grid = _with_parameters(parameters)
        _refuse_known_faults(grid)
    if "control_points" in parameters:
        grid = grid.verified_by(grid.verify(_listed_points(parameters["control_points"])))
    return grid


def _with_parameters(parameters: Mapping[str, Any]) -> LocalGrid:
    try:
        grid = replace(
            PUBLIC_SHANGHAI_2000,
            central_meridian=float(parameters["central_meridian"]),
            scale=float(parameters["scale"]),
            false_easting=float(parameters["false_easting"]),
            false_northing=float(parameters["false_northing"]),
            provenance=str(parameters["provenance"]).strip(),
            accuracy_m=float(parameters.get("accuracy_m", PUBLIC_SHANGHAI_2000.accuracy_m)),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise BadGrid("grid_incomplete", "上海2000 参数不完整：需要中央经线、尺度、东移、北移和来源说明。") from fault
    if not 0.0 < grid.accuracy_m < 100.0:
        raise BadGrid("grid_accuracy", "上海2000 参数的精度应为大于 0、小于 100 的米数。")
    if not grid.provenance:
        raise BadGrid("grid_without_provenance", "上海2000 参数必须注明来源。")
    return grid


def _listed_points(rows: Sequence[Mapping[str, Any]]) -> list[ControlPoint]:
    try:
        return [
            ControlPoint(str(row["name"]), *(float(row[key]) for key in ("lon", "lat", "east", "north")))
            for row in rows
        ]
    except (KeyError, TypeError, ValueError) as fault:
        raise BadGrid(
            "control_points_incomplete", "控制点不完整：每个都需要点名、经度、纬度、东坐标和北坐标。"
        ) from fault


def _refuse_known_faults(grid: LocalGrid) -> None:
    """Refuse the parameter sets that public code gets wrong, each by its name, then whatever misses the city's origin."""
    if abs(grid.central_meridian - PACKED_MERIDIAN) < 1e-3:
        raise BadGrid(
            "grid_meridian_packed", "中央经线 121.2751921 是把度分秒当成了小数，应为 121.464444…（121°27′52″）。"
        )
    if not abs(grid.central_meridian - SHANGHAI_MERIDIAN) <= 1e-5:
        raise BadGrid("grid_meridian", "中央经线与上海2000 的 121°27′52″ 不符，请核对参数。")
    if abs(grid.false_northing - FORMER_NORTHING) < 1.0:
        raise BadGrid("grid_former_northing", "北移 −3457147.81 属于旧坐标系，与新的中央经线同用会差 267 米。")
    if not abs(grid.scale - 1.0) < 1e-4:
        raise BadGrid("grid_scale", "尺度应接近 1，请核对参数。")
    lon, lat = grid._krueger(np.zeros(1), np.zeros(1), forward=False)
    hotel = grid._krueger(np.array([PARK_HOTEL[0]]), np.array([PARK_HOTEL[1]]), forward=True)
    miss = float(np.hypot(hotel[0][0], hotel[1][0]))
    if not miss <= ORIGIN_TOLERANCE_M:
        raise BadGrid(
            "grid_origin",
            f"坐标原点应为国际饭店旗杆（121°28′01.74″E，31°14′07.61″N），按这些参数相差 {miss:.1f} 米。"
            "常见原因：原点只取到整秒（差 27 米），或手工加了地图偏移。",
            miss_m=miss,
            origin=[float(lon[0]), float(lat[0])],
        )


def _configured_shanghai_2000() -> LocalGrid:
    """Return the public grid, or that of the JSON file a deployment with official parameters names in its environment."""
    path = os.environ.get(CONFIGURATION)
    if not path:
        return PUBLIC_SHANGHAI_2000
    try:
        parameters = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BadGrid("grid_file", f"{CONFIGURATION} 所指的文件 {path} 无法读取，或不是有效的 JSON。") from fault
    return shanghai_grid(parameters)


SHANGHAI_2000: Final = _configured_shanghai_2000()
SHENGZHOU_PLANE: Final = gauss_kruger(System.GK3_CM120E)
PLANES: Final[dict[System, LocalGrid]] = {
    System.SH2000: SHANGHAI_2000,
    **{system: gauss_kruger(system) for system in ZONES},
}
"""The plane of every system measured in metres, Web Mercator excepted."""
