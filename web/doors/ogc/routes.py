"""The addresses of the standards door ``/ogc``."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from web.doors.ogc import pages, processes, tiles


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to GIS officers how to open the layers in QGIS, GDAL and by hand."""
    return render(request, "help/ogc.html")


ROUTES = [
    path("ogc", pages.landing, name="ogc"),
    path("ogc/", pages.landing, name="ogc-slash"),
    path("ogc/api", pages.api, name="ogc-api"),
    path("ogc/conformance", pages.conformance, name="ogc-conformance"),
    path("ogc/crs/<slug:key>", pages.crs, name="ogc-crs"),
    path("ogc/collections", pages.collections, name="ogc-collections"),
    path("ogc/collections/<slug:key>", pages.collection, name="ogc-collection"),
    path("ogc/tileMatrixSets", tiles.matrix_sets, name="ogc-matrix-sets"),
    path("ogc/tileMatrixSets/<slug:scheme>", tiles.matrix_set, name="ogc-matrix-set"),
    path("ogc/collections/<slug:key>/tiles", tiles.tilesets, name="ogc-tilesets"),
    path("ogc/collections/<slug:key>/tiles/<slug:scheme>", tiles.tileset, name="ogc-tileset"),
    path("ogc/collections/<slug:key>/tiles/<slug:scheme>/<str:z>/<str:y>/<str:x>", tiles.tile, name="ogc-tile"),
    path("ogc/collections/<slug:key>/queryables", pages.queryables, name="ogc-queryables"),
    path("ogc/collections/<slug:key>/schema", pages.schema, name="ogc-schema"),
    path("ogc/collections/<slug:key>/schema/feature", pages.feature_schema, name="ogc-feature-schema"),
    path("ogc/collections/<slug:key>/items", pages.items, name="ogc-items"),
    path("ogc/collections/<slug:key>/items/<str:feature>", pages.item, name="ogc-item"),
    path("help/ogc", help_page, name="help-ogc"),
    path("ogc/processes", processes.process_list, name="ogc-processes"),
    path("ogc/processes/<slug:key>", processes.process, name="ogc-process"),
    path("ogc/processes/<slug:key>/execution", processes.execution, name="ogc-execution"),
    path("ogc/jobs", processes.job_list, name="ogc-jobs"),
    path("ogc/jobs/<slug:run_id>", processes.job, name="ogc-job"),
    path("ogc/jobs/<slug:run_id>/results", processes.results, name="ogc-results"),
    path("ogc/jobs/<slug:run_id>/results/<slug:name>", processes.output, name="ogc-output"),
]
