"""The addresses of tiles."""

from __future__ import annotations

from django.urls import path, register_converter

from web.doors import tiles


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
]
