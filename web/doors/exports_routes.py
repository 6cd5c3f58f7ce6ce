"""The addresses of taking layers away."""

from __future__ import annotations

from django.urls import path

from web.doors import exports

ROUTES = [
    path("layers/<slug:key>/export", exports.export_page, name="export-new"),
    path("help/exports", exports.help_page, name="help-exports"),
    path("exports", exports.exports_page, name="exports"),
    path("exports/<uuid:run_id>", exports.run_page, name="export"),
    path("exports/<uuid:run_id>/stop", exports.stop, name="export-stop"),
    path("exports/<uuid:run_id>/delete", exports.remove, name="export-delete"),
    path("exports/<uuid:run_id>/file", exports.file, name="export-file"),
    path("exports/<uuid:run_id>/about.txt", exports.about, name="export-about"),
]
