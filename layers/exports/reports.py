"""A layer as one page that opens without a network: map, legend, table and what must be said. Folium draws; all is within.

Names come from staff and from outside. Folium puts what it is given into scripts and popups as it is, and its elements are
templates: so every text is made ``inert`` here before it is handed on.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import branca.element
import folium
import jinja2
import numpy as np
import orjson
import shapely
from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry
from django.contrib.staticfiles import finders
from folium.template import Template

from geo.basemap.models import BasemapFeature
from geo.crs import Bbox
from geo.crs.codes import CGCS2000
from geo.errors import TooLarge
from geo.regions.models import Level
from geo.regions.queries import current_city, versions_of
from geo.scope import Scope
from layers.exports.tables import Table
from layers.exports.writing import Contents
from layers.spec import LayerSpec
from layers.styles.legend import MISSING, OTHER, legend_of
from layers.styles.palettes import INKS, PALETTES
from layers.styles.spec import Style

MOST_FEATURES: Final = 20_000
LISTED: Final = 500
WATER_M2: Final = 1_000_000
NEAR_DEGREES: Final = 0.25
"""Of a map no wider than this, names and borders of streets are drawn too."""
SIMPLER_DEGREES: Final = 0.0003
WATER: Final = {"stroke": False, "fillColor": "#c3d7e8", "fillOpacity": 1, "interactive": False}
BORDER: Final = {"color": "#7f8a97", "weight": 1, "fillColor": "#fff", "fillOpacity": 0.35, "interactive": False}
UNZOOMABLE: Final = ", maximum-scale=1.0, user-scalable=no"
"""What folium says to phones; old eyes need to zoom."""
POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
TEXTS: Final = Path(__file__).parent / "texts"
WORDS: Final = jinja2.Environment(loader=jinja2.FileSystemLoader(TEXTS), autoescape=True, trim_blocks=True)


Feature = dict[str, Any]


class _Markup(branca.element.Element):
    """Markup that stands in the page as it is: an ordinary element would read it as a template."""

    _template = jinja2.Template("{{ this.markup }}")

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.markup = markup


class _Controls(branca.element.MacroElement):
    """Buttons to zoom by, a scale in metres, and names where they stand: (longitude, latitude, markup)."""

    _template = Template(
        """{% macro script(this, kwargs) %}{% set map = this._parent.get_name() %}
        L.control.zoom({zoomInTitle: '放大', zoomOutTitle: '缩小'}).addTo({{ map }});
        L.control.scale({imperial: false}).addTo({{ map }});
        {{ this.names | tojavascript }}.forEach(([lon, lat, html]) => L.marker([lat, lon], {
          icon: L.divIcon({html, className: 'name', iconSize: null}), interactive: false, keyboard: false,
        }).addTo({{ map }}));
        {% endmacro %}"""
    )

    def __init__(self, names: list[list[Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names = names


@dataclass(frozen=True, slots=True)
class Look:
    """How features are drawn: the words and the colour each gets by its value, and those of the legend in order."""

    attribute: str
    of: Callable[[Any], tuple[str, str]]
    entries: Sequence[tuple[str, str]]


def write_report(path: Path, contents: Contents, spec: LayerSpec, style: Style) -> None:
    """Write the page. Raises ``TooLarge`` for more features than a page can draw."""
    look = look_of(spec, style, contents.table)
    features, rows, counts = _gathered(contents, look)
    about = {
        "title": contents.title,
        "summary": spec.summary,
        "taken": contents.said.get("取了哪些", ""),
        "made_at": contents.said.get("导出时间", "")[:10],
        "demo": contents.said.get("提示", ""),
        "count": sum(counts.values()),
        "measure": legend_of(spec, style).measure,
        "geometry": spec.geometry,
        "legend": [
            {"words": words, "fill": fill, "count": counts[words]}
            for words, fill in look.entries
            if counts[words] or words not in (OTHER, MISSING)
        ],
        "titles": [one.title for one in contents.table.own],
        "rows": rows,
        "said": [(title, text) for title, text in contents.said.items() if text],
        "approval": settings.MAP_APPROVAL,
    }
    path.write_text(_page(about, features, contents.table, spec, style), encoding="utf-8")


def _gathered(contents: Contents, look: Look) -> tuple[list[Feature], list[list[str]], Counter[str]]:
    """Return the features to draw with their colours, the first rows as people read them, and how many have which words."""
    features: list[Feature] = []
    rows: list[list[str]] = []
    counts = Counter[str]()
    names = [one.name for one in contents.table.own]
    for batch in contents.batches:
        if counts.total() + len(batch.ids) > MOST_FEATURES:
            raise TooLarge(
                "report_too_large",
                f"离线地图最多画 {MOST_FEATURES:,} 个要素。请选一个区划或范围，或换成 GeoPackage。",
                most=MOST_FEATURES,
            )
        for at, (pk, shape) in enumerate(zip(batch.ids, shapely.to_geojson(batch.shapes), strict=True)):
            values = {name: column[at] for name, column in zip(names, batch.values, strict=True)}
            words, colour = look.of(values.get(look.attribute))
            counts[words] += 1
            cells = [said(values[name]) for name in names]
            rows += [cells] if len(rows) < LISTED else []
            if shape is not None:
                told = {name: inert(cell) for name, cell in zip(names, cells, strict=True)}
                geometry = orjson.loads(shape)
                features.append(
                    {"type": "Feature", "id": pk, "geometry": geometry, "properties": told, "colour": colour}
                )
    return features, rows, counts


def look_of(spec: LayerSpec, style: Style, table: Table) -> Look:
    """Return how the features of a file are drawn: by their style, as one where it goes by what the file leaves out."""
    if style.kind == "single" or style.attribute not in {one.name for one in table.own}:
        one = (spec.title, PALETTES["category"].colours("light")[style.tone - 1])
        return Look("", lambda _: one, [one])
    missing = (MISSING, INKS["light"].other)
    if style.kind == "categories":
        own = {
            one.value: (one.words, colour)
            for one, colour in zip(style.categories, PALETTES["category"].colours("light"), strict=False)
        }
        other = (OTHER, INKS["light"].other)
        return Look(
            style.attribute,
            lambda value: missing if value is None else own.get(value, other),
            [*own.values(), other, missing],
        )
    palette = PALETTES[style.palette or "quantity"]
    words = [entry.words for entry in legend_of(spec, style).entries]
    classes = list(zip(words, [palette.light[step] for step in palette.steps(style.classes)], strict=True))
    return Look(
        style.attribute,
        lambda value: missing if value is None else classes[sum(value >= cut for cut in style.breaks)],
        [*classes, missing],
    )


def inert(text: str) -> str:
    """Return a text as markup that is neither tag nor template: folium reads its own scripts as templates again."""
    return escape(text).replace("{", "&#123;")


def said(value: Any) -> str:
    """Return a value as people read it; "—" where there is none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _page(about: Mapping[str, Any], features: list[Feature], table: Table, spec: LayerSpec, style: Style) -> str:
    figure = branca.element.Figure(title=inert(about["title"]))
    for markup in (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<style>{_asset('vendor/leaflet.css')}{(TEXTS / 'report.css').read_text(encoding='utf-8')}</style>",
        f"<script>{_asset('vendor/leaflet.js')}</script>",
    ):
        figure.header.add_child(_Markup(markup))
    figure.html.add_child(_Markup(WORDS.get_template("report_head.html").render(about)))
    _map(features, table, spec, style).add_to(figure)
    figure.render()  # the map puts its place into the page now, so that the rest comes after it
    figure.html.add_child(_Markup(WORDS.get_template("report_foot.html").render(about)))
    page: str = figure.render()
    return page.replace("<html>", '<html lang="zh-CN">', 1).replace(UNZOOMABLE, "", 1)


def _map(features: list[Feature], table: Table, spec: LayerSpec, style: Style) -> folium.Map:
    box = _box(features)
    drawn = folium.Map(tiles=None, zoom_control=False, attributionControl=False, prefer_canvas=True, zoom_snap=0.25)
    drawn.default_js, drawn.default_css = [], []  # instead of those of other hosts: they lie in the page
    _ground(box).add_to(drawn)
    borders, names = _regions(box)
    borders.add_to(drawn)
    _Controls(names).add_to(drawn)
    if features:
        popup = folium.GeoJsonPopup(
            fields=[one.name for one in table.own],
            aliases=[inert(one.title) for one in table.own],
            localize=False,
        )
        folium.GeoJson(
            {"type": "FeatureCollection", "features": features},
            marker=folium.CircleMarker(radius=6, weight=1.5, fill=True) if spec.geometry == "point" else None,
            style_function=lambda feature: _drawn(feature["colour"], spec, style),
            popup=popup if table.own else None,
            zoom_on_click=False,
        ).add_to(drawn)
    drawn.fit_bounds([[box.south, box.west], [box.north, box.east]], padding=(24, 24), max_zoom=17)
    return drawn


def _drawn(colour: str, spec: LayerSpec, style: Style) -> dict[str, Any]:
    if spec.geometry == "point":
        return {"color": "#fff", "fillColor": colour, "fillOpacity": style.opacity}
    if spec.geometry == "line":
        return {"color": colour, "weight": max(2.0, style.width), "opacity": style.opacity}
    return {"color": colour, "weight": 1.5, "fillColor": colour, "fillOpacity": min(0.5, style.opacity)}


def _box(features: Sequence[Mapping[str, Any]]) -> Bbox:
    if not features:
        return current_city().bbox
    shapes: Any = shapely.from_geojson([orjson.dumps(feature["geometry"]) for feature in features])
    return Bbox(*shapely.total_bounds(shapes).tolist())


def _ground(box: Bbox) -> folium.GeoJson:
    """Return the large waters around, to know one's way by."""
    area = _area(box).buffer(max(0.02, (box.east - box.west) / 2))
    rows = BasemapFeature.objects.filter(
        retired_at=None, kind__in=("water", "river"), area_m2__gt=WATER_M2, geom__bboverlaps=_stored(area)
    )
    return folium.GeoJson(
        _collection(shapely.simplify(_shapes(rows.values_list("geom", flat=True)), SIMPLER_DEGREES)),
        style_function=lambda _: WATER,
    )


def _regions(box: Bbox) -> tuple[folium.GeoJson, list[list[Any]]]:
    """Return the borders of the regions around, and where their names stand."""
    level = Level.STREET if box.east - box.west < NEAR_DEGREES else Level.DISTRICT
    rows = versions_of(scope=Scope.public()).filter(level=level, geom__bboverlaps=_stored(_area(box)))
    found = list(rows.values_list("name", "geom", "label"))
    borders = folium.GeoJson(
        _collection(shapely.coverage_simplify(_shapes(geom for _, geom, _ in found), SIMPLER_DEGREES)),
        style_function=lambda _: BORDER,
    )
    return borders, [[label.x, label.y, inert(name)] for name, _, label in found]


def _collection(shapes: Any) -> dict[str, Any]:
    features = [
        {"type": "Feature", "properties": {}, "geometry": orjson.loads(text)} for text in shapely.to_geojson(shapes)
    ]
    return {"type": "FeatureCollection", "features": features}


def _shapes(stored: Iterable[Any]) -> Any:
    return shapely.from_wkb(np.array([bytes(geom.wkb) for geom in stored], dtype=object))


def _area(box: Bbox) -> Any:
    return shapely.box(box.west, box.south, box.east, box.north)


def _stored(shape: Any) -> GEOSGeometry:
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=CGCS2000)


def _asset(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(f"{name} is not there: ./run makes it")
    return Path(found).read_text(encoding="utf-8")
