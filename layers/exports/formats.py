"""The formats and coordinate systems that layers leave in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.crs import PLANES, System
from geo.errors import BadInput

SYSTEMS: Final = (
    System.CGCS2000,
    System.WGS84,
    System.SH2000,
    System.WEB_MERCATOR,
    System.GK3_CM120E,
    System.GK3_CM123E,
    System.GK6_CM123E,
)
"""What rows may be written in. The shifted datums of web maps are for display only and are not among them."""
SHORT: Final = {
    System.CGCS2000: "CGCS2000",
    System.WGS84: "WGS84",
    System.SH2000: "上海2000",
    System.WEB_MERCATOR: "Web墨卡托",
}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format: its key in addresses, what people call it, its ending, its media type, and what it is good for.

    ``only`` is the one system it is written in, for a format that has but one.
    """

    key: str
    title: str
    ending: str
    media_type: str
    help: str
    only: System | None = None


FORMATS: Final = {
    one.key: one
    for one in (
        FileFormat(
            "gpkg", "GeoPackage", "gpkg", "application/geopackage+sqlite3", "QGIS、ArcGIS 直接打开，属性类型最全"
        ),
        FileFormat("fgb", "FlatGeobuf", "fgb", "application/flatgeobuf", "自带空间索引，可以按范围分段读取"),
        FileFormat("parquet", "GeoParquet", "parquet", "application/vnd.apache.parquet", "体积最小，适合数据分析"),
        FileFormat(
            "geojson", "GeoJSON", "geojson", "application/geo+json", "网页地图常用，只有 WGS-84 经纬度", System.WGS84
        ),
        FileFormat("csv", "CSV", "csv", "text/csv; charset=utf-8", "Excel 直接打开；点写成两列坐标，线和面写成 WKT"),
        FileFormat(
            "shp", "Shapefile（zip）", "zip", "application/zip", "老软件通用；列名最多 10 个字节，每格最多 254 个字节"
        ),
        FileFormat(
            "html",
            "离线地图（HTML）",
            "html",
            "text/html; charset=utf-8",
            "一个网页，带地图、图例和清单，断网也能打开；最多 2 万个要素",
            System.WGS84,
        ),
        FileFormat(
            "pmtiles",
            "PMTiles",
            "pmtiles",
            "application/vnd.pmtiles",
            "网页地图直接读的矢量瓦片；只能整层，属性和图形按级别简化",
            System.WEB_MERCATOR,
        ),
    )
}


def system_for(format: FileFormat, crs: str) -> System:
    """Return the system a file is written in; ``crs`` empty means the usual one of its format.

    Raises ``BadInput`` for a system that rows do not leave in, and for one the format cannot say.
    """
    if not crs:
        return format.only or System.CGCS2000
    system = System.parse(crs)
    if system in (System.GCJ02, System.BD09):
        raise BadInput(
            "crs_display_only",
            "GCJ-02、BD-09 只用于在持证地图上显示和跳转导航，不能整批导出。请选 CGCS2000 或 WGS-84。",
            parameter="crs",
        )
    if system not in SYSTEMS:
        raise BadInput("crs_unknown", f"请用这几种坐标系：{'、'.join(SYSTEMS)}。", parameter="crs")
    if format.only and system is not format.only:
        raise BadInput("crs_not_in_format", f"{format.title} 只能用 {format.only.label}。", parameter="crs")
    return system


def short_name(system: System) -> str:
    """Return a system as it is called in names of files."""
    return SHORT.get(system) or str(system).replace(":", "")


def definition(system: System) -> str:
    """Return what a program of others is told of a system: its number, or the whole WKT of the city's own plane."""
    return PLANES[system].spatial_reference().srtext if system is System.SH2000 else f"EPSG:{system.srid}"
