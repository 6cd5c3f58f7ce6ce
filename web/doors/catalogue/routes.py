"""The addresses of the catalogue and of taking layers away."""

from __future__ import annotations

from django.urls import path

from web.doors.catalogue import exports, pages

ROUTES = [
    path("layers/<slug:key>/export", exports.export_page, name="export-new"),
    path("help/exports", exports.help_page, name="help-exports"),
    path("exports", exports.exports_page, name="exports"),
    path("exports/<uuid:run_id>", exports.run_page, name="export"),
    path("exports/<uuid:run_id>/stop", exports.stop, name="export-stop"),
    path("exports/<uuid:run_id>/delete", exports.remove, name="export-delete"),
    path("exports/<uuid:run_id>/file", exports.file, name="export-file"),
    path("exports/<uuid:run_id>/about.txt", exports.about, name="export-about"),
    path("layers", pages.list_page, name="catalogue"),
    path("layers/<slug:key>", pages.layer_page, name="catalogue-layer"),
    path("functions/<slug:key>", pages.function_page, name="catalogue-function"),
    path("help/catalogue", pages.help_page, name="help-catalogue"),
]
