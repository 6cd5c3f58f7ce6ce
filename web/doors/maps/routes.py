"""The addresses of maps: styles, tiles, pins, base maps, preloading, pictures."""

from __future__ import annotations

from django.urls import path, register_converter

from web.doors.maps import basemaps, basemaps_desk, layer_styles, mapstyle, pictures, pins, preloading, tiles


class LayerKeys:
    """One key of a layer, or several with commas between."""

    regex = r"[-a-zA-Z0-9_]+(?:,[-a-zA-Z0-9_]+)*"

    def to_python(self, value: str) -> str:
        """Return the text as it stands."""
        return value

    def to_url(self, value: str) -> str:
        """Return the text as it stands."""
        return value


register_converter(LayerKeys, "layer_keys")

ROUTES = [
    path("tiles", tiles.catalogue, name="layers"),
    path("tiles/<slug:key>.pmtiles", tiles.archive, name="tile-archive"),
    path("tiles/<layer_keys:keys>.json", tiles.tilejson, name="tilejson"),
    path("tiles/<layer_keys:keys>/<int:z>/<int:x>/<int:y>.mvt", tiles.tile, name="tile"),
    path("tiles/<layer_keys:keys>/<slug:scheme_id>/<int:z>/<int:x>/<int:y>.mvt", tiles.tile, name="tile-of-scheme"),
    path("style/<slug:name>.json", mapstyle.style, name="style"),
    path("desk/preloads", preloading.list_page, name="desk-preloads"),
    path("desk/preloads/new", preloading.add, name="desk-preload-new"),
    path("desk/preloads/archives/<slug:key>", preloading.act_on_archive, name="desk-archive"),
    path("desk/preloads/<int:preload_id>", preloading.one, name="desk-preload"),
    path("desk/preloads/<int:preload_id>/run", preloading.run, name="desk-preload-run"),
    path("desk/preloads/<int:preload_id>/stop", preloading.stop, name="desk-preload-stop"),
    path("desk/preloads/<int:preload_id>/delete", preloading.delete, name="desk-preload-delete"),
    path("basemaps", basemaps.choices, name="basemaps"),
    path("basemaps/<slug:key>/<int:z>/<int:x>/<int:y>", basemaps.ground, name="basemap-tile"),
    path("basemaps/<slug:key>/names/<int:z>/<int:x>/<int:y>", basemaps.names, name="basemap-names"),
    path("help/basemaps", basemaps_desk.help_page, name="help-basemaps"),
    path("desk/basemaps", basemaps_desk.list_page, name="desk-basemaps"),
    path("desk/basemaps/new", basemaps_desk.add, name="desk-basemap-new"),
    path("desk/basemaps/<int:pk>", basemaps_desk.one, name="desk-basemap"),
    path("desk/basemaps/<int:pk>/try", basemaps_desk.try_out, name="desk-basemap-try"),
    path("desk/basemaps/<int:pk>/delete", basemaps_desk.delete, name="desk-basemap-delete"),
    *pictures.ROUTES,
    *layer_styles.ROUTES,
    *pins.ROUTES,
]
