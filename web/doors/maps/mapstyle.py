"""The map's own style: a quiet base under loud data, in light, dark and elder colours, with no glyph server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from geo.crs.cities import CITIES
from geo.errors import NotFound
from layers.registry import layers
from services.access.queries import scope_for
from services.basemaps.models import BaseMap
from services.basemaps.queries import base_map
from services.basemaps.serving import MARGIN_DEG

FONTS: Final = ["PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "sans-serif"]
BASE_LAYERS: Final = ("ground", "green", "buildings", "roads", "regions", "region_labels", "places")

FOOTWAYS: Final = ["footway", "path", "steps", "pedestrian", "cycleway", "track"]
GREAT: Final = ["motorway", "trunk", "motorway_link", "trunk_link"]
MAIN: Final = ["primary", "secondary", "primary_link", "secondary_link"]

# Width of a carriageway on the ground, in metres, by class.
METRES: Final = (
    (GREAT, 24.0),
    (["primary", "primary_link"], 20.0),
    (["secondary", "secondary_link"], 15.0),
    (["tertiary", "tertiary_link"], 11.0),
    (["residential", "unclassified", "living_street"], 7.0),
)
OTHER_METRES: Final = 4.5
# Pixels a metre takes at zoom 20 on Shanghai's latitude (31.2°), tiles of 512 px.
PIXELS_PER_METRE_Z20: Final = 2**20 * 512 / 40_075_016.7 / 0.8554


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one base map."""

    land: str
    water: str
    park: str
    campus: str
    hospital: str
    building: str
    road: str
    casing: str
    main: str
    footway: str
    border: str
    label: str
    water_label: str
    park_label: str
    halo: str
    cluster: str
    cluster_text: str
    text_px: int


LIGHT: Final = Palette(
    land="#EFF0ED",
    water="#C4D7E4",
    park="#DDE8D8",
    campus="#ECEAE3",
    hospital="#F0E7E6",
    building="#E6E6E2",
    road="#FFFFFF",
    casing="#DEDFDD",
    main="#D3D5D4",
    footway="#E2E1DC",
    border="#B9BFC4",
    label="#565E68",
    water_label="#3A5C73",
    park_label="#47643F",
    halo="#F7F7F5",
    cluster="#1257B8",
    cluster_text="#FFFFFF",
    text_px=12,
)
DARK: Final = Palette(
    land="#181F27",
    water="#0F2231",
    park="#1A2923",
    campus="#1E242A",
    hospital="#241F24",
    building="#1D252E",
    road="#2B3540",
    casing="#10151B",
    main="#36424E",
    footway="#252E37",
    border="#10151B",
    label="#B8C2CD",
    water_label="#8FB4CF",
    park_label="#93BF8C",
    halo="#10151B",
    cluster="#7DB2FF",
    cluster_text="#0B1A2E",
    text_px=12,
)
ELDER: Final = Palette(
    land="#EFF0ED",
    water="#BBD2E1",
    park="#D5E4CF",
    campus="#ECEAE3",
    hospital="#F0E7E6",
    building="#E0E0DB",
    road="#FFFFFF",
    casing="#C9CBC8",
    main="#BFC2C1",
    footway="#D8D7D1",
    border="#9AA2A9",
    label="#2B3642",
    water_label="#1C3D52",
    park_label="#2C4A25",
    halo="#FFFFFF",
    cluster="#0B4596",
    cluster_text="#FFFFFF",
    text_px=18,
)
ON_IMAGERY: Final = "#FFFFFF"
"""Names and borders over imagery, which is of any colour: their halo is dark."""
PALETTES: Final = {"light": LIGHT, "dark": DARK, "elder": ELDER}


@require_safe
def style(request: HttpRequest, name: str) -> JsonResponse:
    """Return a MapLibre style over our own tiles, or over the imagery that ``base`` names."""
    if name not in PALETTES:
        raise NotFound("style_unknown", "没有这个地图样式。", known=list(PALETTES))
    root = f"{request.scheme}://{request.get_host()}"
    base = request.GET.get("base", "")
    if base:
        row = base_map(base, scope=scope_for(request))
        built = build_imagery_style(PALETTES[name], root, row, dim=name == "dark")
    else:
        built = build_style(PALETTES[name], root)
    response = JsonResponse(built, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "private, max-age=60" if base else "public, max-age=300"
    return response


def build_style(colours: Palette, root: str) -> dict[str, Any]:
    """Return the style with tile URLs under ``root``; layers that are not declared are left out."""
    declared = layers()
    drawn = [key for key in BASE_LAYERS if key in declared]
    return {
        "version": 8,
        "name": "圈图",
        "sources": {key: _source(root, key) for key in drawn},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": colours.land}},
            *[layer for layer in _base(colours) if layer["source"] in drawn],
        ],
    }


def build_imagery_style(colours: Palette, root: str, row: BaseMap, *, dim: bool) -> dict[str, Any]:
    """Return a style of imagery under its own names, or under ours in white; ``dim`` for the dark."""
    own = replace(
        colours, label=ON_IMAGERY, water_label=ON_IMAGERY, park_label=ON_IMAGERY, border=ON_IMAGERY, halo=DARK.halo,
        water=DARK.halo,
    )  # fmt: skip
    drawn = [key for key in ("regions", "roads", "green", "ground", "region_labels") if key in layers()]
    above = _borders(own) if row.names_address else [*_borders(own), *_labels(own)]
    sources = {each["source"] for each in above} & set(drawn)
    parts = ("imagery", "imagery-names") if row.names_address else ("imagery",)
    return {
        "version": 8,
        "name": row.title,
        "sources": {part: _raster(root, row, part) for part in parts}
        | {key: _source(root, key) for key in sorted(sources)},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": colours.land}},
            _raster_layer("imagery", dim=dim),
            *[layer for layer in above if layer["source"] in sources],
            *[_raster_layer(part, dim=False) for part in parts[1:]],
        ],
    }


def _raster(root: str, row: BaseMap, part: str) -> dict[str, Any]:
    box = CITIES[settings.CITY].bbox
    middle = "/names" if part == "imagery-names" else ""
    return {
        "type": "raster",
        "tiles": [f"{root}/basemaps/{row.key}{middle}/{{z}}/{{x}}/{{y}}?v={row.revision}"],
        "tileSize": 256,
        "minzoom": row.min_zoom,
        "maxzoom": row.max_zoom,
        "bounds": [box.west - MARGIN_DEG, box.south - MARGIN_DEG, box.east + MARGIN_DEG, box.north + MARGIN_DEG],
        "attribution": row.attribution,
    }


def _raster_layer(part: str, *, dim: bool) -> dict[str, Any]:
    paint: dict[str, Any] = {"raster-fade-duration": 120}
    if dim:
        paint |= {"raster-brightness-max": 0.72, "raster-saturation": -0.15}
    return {"id": part, "type": "raster", "source": part, "paint": paint}


def _source(root: str, key: str) -> dict[str, Any]:
    declared = layers()[key]
    return {
        "type": "vector",
        "tiles": [f"{root}/tiles/{key}/{{z}}/{{x}}/{{y}}.mvt"],
        "minzoom": declared.min_zoom,
        "maxzoom": declared.max_zoom,
    }


def _base(colours: Palette) -> list[dict[str, Any]]:
    return [
        *_ground(colours),
        *_roads(colours),
        *_borders(colours),
        *_labels(colours),
    ]


def _fill(name: str, source: str, colour: str, where: Any, minzoom: int = 0) -> dict[str, Any]:
    return {
        "id": name,
        "type": "fill",
        "source": source,
        "source-layer": source,
        "minzoom": minzoom,
        "filter": where,
        "paint": {"fill-color": colour, "fill-antialias": source != "ground"},
    }


def _ground(colours: Palette) -> list[dict[str, Any]]:
    kind = ["get", "kind"]
    return [
        _fill("land", "ground", colours.land, ["==", kind, "land"]),
        _fill("park", "green", colours.park, ["==", kind, "green"]),
        _fill("campus", "green", colours.campus, ["==", kind, "campus"]),
        _fill("hospital", "green", colours.hospital, ["==", kind, "hospital"]),
        _fill("water", "ground", colours.water, ["in", kind, ["literal", ["water", "river"]]]),
        {
            "id": "buildings",
            "type": "fill",
            "source": "buildings",
            "source-layer": "buildings",
            "minzoom": 15,
            "paint": {
                "fill-color": colours.building,
                "fill-opacity": ["interpolate", ["linear"], ["zoom"], 15, 0, 15.6, 1],
            },
        },
    ]


def _width(extra_px: float, least_px: float) -> list[Any]:
    """Return a line width that follows the road's metres on the ground and never falls under ``least_px``."""
    metres: list[Any] = ["match", ["get", "highway"]]
    for words, width in METRES:
        metres += [words, width]
    metres.append(OTHER_METRES)

    def at(zoom: int) -> list[Any]:
        scale = PIXELS_PER_METRE_Z20 / 2 ** (20 - zoom)
        return ["+", ["max", ["*", metres, scale], least_px], extra_px]

    stops: list[Any] = []
    for zoom in (8, 12, 14, 16, 18, 20):
        stops += [zoom, at(zoom)]
    return ["interpolate", ["exponential", 2], ["zoom"], *stops]


def _road_line(name: str, where: Any, colour: Any, width: Any, minzoom: int = 0, **paint: Any) -> dict[str, Any]:
    return {
        "id": name,
        "type": "line",
        "source": "roads",
        "source-layer": "roads",
        "minzoom": minzoom,
        "filter": where,
        "layout": {"line-cap": "round", "line-join": "round"},
        "paint": {"line-color": colour, "line-width": width, **paint},
    }


def _roads(colours: Palette) -> list[dict[str, Any]]:
    highway = ["get", "highway"]
    foot = ["in", highway, ["literal", [*FOOTWAYS, "ferry"]]]
    great = ["in", highway, ["literal", GREAT]]
    main = ["in", highway, ["literal", MAIN]]
    small = ["all", ["!", foot], ["!", great], ["!", main]]
    tunnel = ["to-boolean", ["get", "tunnel"]]
    carriage = ["all", ["!", foot], ["!", tunnel]]
    return [
        _road_line(
            "tunnels",
            ["all", ["!", foot], tunnel],
            colours.main,
            _width(0, 1.4),
            12,
            **{"line-opacity": 0.45, "line-dasharray": [2, 1.5]},
        ),
        _road_line("footways", foot, colours.footway, 1, 15),
        _road_line("road-casing", carriage, colours.casing, _width(1.6, 1.4), 12),
        _road_line("small-roads", ["all", small, ["!", tunnel]], colours.road, _width(0, 1.4), 12),
        _road_line("main-roads", ["all", main, ["!", tunnel]], colours.road, _width(0, 1.6), 9),
        _road_line("great-roads", ["all", great, ["!", tunnel]], colours.main, _width(0, 1.8), 6),
    ]


def _borders(colours: Palette) -> list[dict[str, Any]]:
    def border(name: str, level: str, width: float, minzoom: int, dash: list[float]) -> dict[str, Any]:
        return {
            "id": name,
            "type": "line",
            "source": "regions",
            "source-layer": "regions",
            "minzoom": minzoom,
            "maxzoom": 15,
            "filter": ["==", ["get", "level"], level],
            "paint": {"line-color": colours.border, "line-width": width, "line-dasharray": dash},
        }

    return [border("street-border", "street", 0.8, 11, [3, 3]), border("district-border", "district", 1.4, 7, [4, 2])]


def _labels(colours: Palette) -> list[dict[str, Any]]:
    def text(colour: str, **paint: Any) -> dict[str, Any]:
        return {"text-color": colour, "text-halo-color": colours.halo, "text-halo-width": 2.2, **paint}

    name = ["get", "name"]
    font = {"text-font": FONTS}
    region = {"source": "region_labels", "source-layer": "region_labels"}
    return [
        {
            "id": "road-names",
            "type": "symbol",
            "source": "roads",
            "source-layer": "roads",
            "minzoom": 13,
            "filter": ["all", ["has", "name"], ["!", ["in", ["get", "highway"], ["literal", FOOTWAYS]]]],
            "layout": {
                "symbol-placement": "line",
                "symbol-spacing": 420,
                "text-field": name,
                "text-size": colours.text_px - 0.5,
                "text-letter-spacing": 0.06,
                "text-max-angle": 30,
                "text-padding": 12,
                **font,
            },
            "paint": text(colours.label),
        },
        {
            "id": "park-names",
            "type": "symbol",
            "source": "green",
            "source-layer": "green",
            "minzoom": 13,
            "filter": ["has", "name"],
            "layout": {
                "text-field": name,
                "text-size": colours.text_px - 1,
                "text-max-width": 7,
                "text-padding": 16,
                **font,
            },
            "paint": text(colours.park_label),
        },
        {
            "id": "water-names",
            "type": "symbol",
            "source": "ground",
            "source-layer": "ground",
            "minzoom": 10,
            "filter": ["all", ["has", "name"], ["in", ["get", "kind"], ["literal", ["water", "river"]]]],
            "layout": {"text-field": name, "text-size": colours.text_px, "text-max-width": 8, **font},
            "paint": text(colours.water_label, **{"text-halo-color": colours.water}),
        },
        {
            "id": "street-names",
            "type": "symbol",
            **region,
            "minzoom": 11,
            "maxzoom": 14,
            "filter": ["==", ["get", "level"], "street"],
            "layout": {"text-field": name, "text-size": colours.text_px, "text-padding": 8, **font},
            "paint": text(colours.label),
        },
        {
            "id": "district-names",
            "type": "symbol",
            **region,
            "maxzoom": 12,
            "filter": ["==", ["get", "level"], "district"],
            "layout": {"text-field": name, "text-size": colours.text_px + 2, "text-padding": 6, **font},
            "paint": text(colours.label),
        },
    ]
