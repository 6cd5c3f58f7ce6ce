"""The addresses of the standards door ``/ogc``."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from web.doors import ogc, ogc_tiles


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to GIS officers how to open the layers in QGIS, GDAL and by hand."""
    return render(request, "help/ogc.html")


ROUTES = [
    path("ogc", ogc.landing, name="ogc"),
    path("ogc/", ogc.landing, name="ogc-slash"),
    path("ogc/api", ogc.api, name="ogc-api"),
    path("ogc/conformance", ogc.conformance, name="ogc-conformance"),
    path("ogc/crs/<slug:key>", ogc.crs, name="ogc-crs"),
    path("ogc/collections", ogc.collections, name="ogc-collections"),
    path("ogc/collections/<slug:key>", ogc.collection, name="ogc-collection"),
    path("ogc/tileMatrixSets", ogc_tiles.matrix_sets, name="ogc-matrix-sets"),
    path("ogc/tileMatrixSets/<slug:scheme>", ogc_tiles.matrix_set, name="ogc-matrix-set"),
    path("ogc/collections/<slug:key>/tiles", ogc_tiles.tilesets, name="ogc-tilesets"),
    path("ogc/collections/<slug:key>/tiles/<slug:scheme>", ogc_tiles.tileset, name="ogc-tileset"),
    path("ogc/collections/<slug:key>/tiles/<slug:scheme>/<str:z>/<str:y>/<str:x>", ogc_tiles.tile, name="ogc-tile"),
    path("ogc/collections/<slug:key>/queryables", ogc.queryables, name="ogc-queryables"),
    path("ogc/collections/<slug:key>/schema", ogc.schema, name="ogc-schema"),
    path("ogc/collections/<slug:key>/schema/feature", ogc.feature_schema, name="ogc-feature-schema"),
    path("ogc/collections/<slug:key>/items", ogc.items, name="ogc-items"),
    path("ogc/collections/<slug:key>/items/<str:feature>", ogc.item, name="ogc-item"),
    path("help/ogc", help_page, name="help-ogc"),
]
