"""What the catalogue says of a layer: metadata for people and systems, a preview, and lines to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.http import HttpRequest

from geo.crs.codes import CGCS2000
from geo.imports.queries import attribution, published_sources
from geo.scope import Scope
from layers.catalogue import GEOMETRIES, as_of, class_name
from layers.ogc.extents import extent_of, opening_box
from layers.reading import count_rows, read_page
from layers.registry import visible_layers
from layers.spec import LayerSpec, ServiceSpec
from layers.styles.legend import Legend, legend_of
from layers.styles.maplibre import style_layers
from layers.styles.queries import style_for
from layers.tiling import edition_of_all, layer_edition
from services.access.roles import ROLES
from services.facilities.preloading.archives import archive_path

KIND_NAMES: Final = {
    "text": "文字",
    "whole": "整数",
    "number": "数字",
    "yes_no": "是或否",
    "day": "日期",
    "moment": "时刻",
}
SAMPLE_ROWS: Final = 5
COUNTED_EXACTLY: Final = 100_000
SYSTEM: Final = f"CGCS2000 经纬度（EPSG:{CGCS2000}）；瓦片是球面墨卡托"


class Line(NamedTuple):
    """Something to copy: what it is for, and the text."""

    title: str
    text: str

    @property
    def rows(self) -> int:
        """Return how many lines a field of it takes."""
        return sum(1 + len(line) // 90 for line in self.text.splitlines())


def root_of(request: HttpRequest) -> str:
    """Return scheme and host as the caller sees them."""
    return f"{request.scheme}://{request.get_host()}"


def about_layer(spec: LayerSpec, *, scope: Scope, root: str) -> dict[str, Any]:
    """Return the metadata of a layer as systems read them."""
    extent, count = extent_of(spec, scope=scope), count_rows(spec, scope=scope, exact_up_to=COUNTED_EXACTLY)
    changed = as_of(spec, scope=scope)
    return {
        "key": spec.key,
        "title": spec.title,
        "category": spec.category,
        "category_title": class_name(spec.category),
        "summary": spec.summary,
        "geometry": spec.geometry,
        "source": spec.source,
        "attribution": attribution_of(spec),
        "crs": f"EPSG:{CGCS2000}",
        "extent": list(extent.box) if extent.box else None,
        "from_day": extent.first.isoformat() if extent.first else None,
        "to_day": extent.last.isoformat() if extent.last else None,
        "features": count.number,
        "features_exact": count.exact,
        "attributes": [{"name": one.name, "title": one.title, "kind": one.kind} for one in spec.attributes],
        "edition": layer_edition(spec),
        "as_of": changed.isoformat() if changed else None,
        "updated": update_words(spec),
        "min_zoom": spec.min_zoom,
        "max_zoom": spec.max_zoom,
        "audience": "staff" if spec.duty else "everyone",
        "links": links_of(spec, root),
    }


def links_of(spec: LayerSpec, root: str) -> dict[str, str]:
    """Return where a layer is had, by how."""
    return {
        "page": f"{root}/layers/{spec.key}",
        "tilejson": f"{root}/tiles/{spec.key}.json",
        "tiles": f"{root}/tiles/{spec.key}/{{z}}/{{x}}/{{y}}.mvt",
        "collection": f"{root}/ogc/collections/{spec.key}",
        "items": f"{root}/ogc/collections/{spec.key}/items",
    }


def attribution_of(spec: LayerSpec) -> str:
    """Return whom one must name who shows a layer."""
    named = [
        each.attribution
        for family in spec.families
        for each in published_sources(family)  # type: ignore[arg-type]
        if each.attribution
    ]
    return "；".join(dict.fromkeys(named)) or attribution() or "© 圈图"


def update_words(spec: LayerSpec) -> str:
    """Return when what a layer shows changes."""
    if spec.touched:
        return "工作人员改动后，一分钟内更新"
    return "每次发布新版本时更新" if spec.edition else "来源每次发布时更新"


def audience_words(spec: LayerSpec | ServiceSpec) -> str:
    """Return who may see a layer or call a function."""
    if not spec.duty:
        return "所有人，不用登录"
    names = [role.name for role in ROLES if spec.duty in role.duties]
    words = "、".join(names) or "有相应权限的工作人员"
    return f"{words}，只看自己辖区" if isinstance(spec, LayerSpec) else words


def facts_of(spec: LayerSpec, about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the metadata of a layer as people read them."""
    box, number = about["extent"], f"{about['features']:,}"
    return [
        ("类别", f"{about['category_title']} · {GEOMETRIES[spec.geometry]}"),
        ("要素", f"{number} 个" if about["features_exact"] else f"约 {number} 个"),
        ("范围", "经度 {0:.4f} 到 {2:.4f}，纬度 {1:.4f} 到 {3:.4f}".format(*box) if box else "现在没有要素"),
        ("坐标系", SYSTEM),
        ("来源", spec.source or "圈图整理"),
        ("版权", about["attribution"]),
        ("更新", about["updated"]),
        ("版本", about["edition"]),
        ("级别", f"{spec.min_zoom} 级起看得到，瓦片到 {spec.max_zoom} 级"),
        ("谁能看", audience_words(spec)),
    ]


def calls_of(spec: LayerSpec, root: str) -> list[Line]:
    """Return lines to copy that get at a layer."""
    links, archived = links_of(spec, root), spec.public and archive_path(spec.key).exists()
    whole = [Line("整层瓦片文件（PMTiles）", f"{root}/tiles/{spec.key}.pmtiles")] if archived else []
    key = "" if spec.public else ' -H "X-API-Key: 您的密钥"'
    return [
        Line("矢量瓦片（XYZ，MVT）", links["tiles"]),
        Line("TileJSON", links["tilejson"]),
        *whole,
        Line("OGC API Features（QGIS 里新建 WFS / OGC API 连接）", f"{root}/ogc"),
        Line("取前 100 个要素（curl）", f'curl{key} "{links["items"]}?limit=100&f=json"'),
        Line("转成 GeoPackage（GDAL）", f'ogr2ogr {spec.key}.gpkg "OAPIF:{root}/ogc" {spec.key}'),
        Line(
            "在 MapLibre 里画",
            f'map.addSource("{spec.key}", {{type: "vector", url: "{links["tilejson"]}"}});\n'
            f'map.addLayer({{id: "{spec.key}", type: "{_drawn_as(spec)}", source: "{spec.key}", "source-layer": "{spec.key}"}});',
        ),
    ]


def _drawn_as(spec: LayerSpec) -> str:
    return {"point": "circle", "line": "line", "polygon": "fill"}[spec.geometry]


def preview_of(spec: LayerSpec, *, scope: Scope, root: str) -> tuple[dict[str, Any], Legend]:
    """Return what the page draws of a layer: its source, its style by theme, the titles of its attributes; and its legend."""
    style = style_for(spec)
    drawn = {
        "source": {
            "type": "vector",
            "tiles": [f"{root}/tiles/{spec.key}/{{z}}/{{x}}/{{y}}.mvt?edition={edition_of_all([spec])}"],
            "minzoom": spec.min_zoom,
            "maxzoom": spec.max_zoom,
        },
        "box": opening_box(spec, scope=scope),
        "from_zoom": spec.min_zoom,
        "layers": {theme: style_layers(spec, style, theme) for theme in ("light", "dark")},
        "titles": {one.name: one.title for one in spec.attributes},
    }
    return drawn, legend_of(spec, style)


def sample_rows(spec: LayerSpec, *, scope: Scope) -> list[list[str]]:
    """Return the first rows of a layer as people read them."""
    rows = read_page(spec, scope=scope, limit=SAMPLE_ROWS).rows
    return [[shown(row.properties[one.name]) for one in spec.attributes] for row in rows]


def shown(value: object) -> str:
    """Return a value of an attribute as it stands in a cell."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value:g}" if isinstance(value, float) else str(value)[:80]


def listed_layers(*, scope: Scope, root: str) -> list[dict[str, Any]]:
    """Return every layer a scope may see in short, for systems."""
    return [
        {
            "key": one.key,
            "title": one.title,
            "category": one.category,
            "summary": one.summary,
            "geometry": one.geometry,
            "audience": "staff" if one.duty else "everyone",
            "as_of": changed.isoformat() if (changed := as_of(one, scope=scope)) else None,
            "links": links_of(one, root) | {"about": f"{root}/api/v1/layers/{one.key}"},
        }
        for one in visible_layers(scope=scope)
    ]
