"""The addresses of datasets at the desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from web.doors import datasets, datasets_files, datasets_map, datasets_query

_ONE = "desk/layers/<slug:key>"


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how layers are made, filled, edited and published."""
    return render(request, "help/datasets.html")


ROUTES = [
    path("desk/layers", datasets.list_page, name="desk-datasets"),
    path("desk/layers/new", datasets.new_page, name="desk-dataset-new"),
    path("desk/layers/query", datasets_query.query_page, name="desk-dataset-query"),
    path("desk/layers/imports/<uuid:import_id>", datasets_files.import_page, name="desk-dataset-import"),
    path("desk/layers/imports/<uuid:import_id>/file", datasets_files.original, name="desk-dataset-import-file"),
    path(_ONE, datasets_map.work_page, name="desk-dataset"),
    path(f"{_ONE}/near.json", datasets_map.near, name="desk-dataset-near"),
    path(f"{_ONE}/draft/<int:revision>/<int:z>/<int:x>/<int:y>.mvt", datasets_map.draft_tile, name="desk-dataset-tile"),
    path(f"{_ONE}/files", datasets_files.files_page, name="desk-dataset-files"),
    path(f"{_ONE}/versions", datasets.versions_page, name="desk-dataset-versions"),
    path(f"{_ONE}/compare", datasets.compare_page, name="desk-dataset-compare"),
    path(f"{_ONE}/settings", datasets.settings_page, name="desk-dataset-settings"),
    path(f"{_ONE}/history", datasets_map.history_page, name="desk-dataset-history"),
    path(f"{_ONE}/refresh", datasets_query.refresh_page, name="desk-dataset-refresh"),
    path("help/datasets", help_page, name="help-datasets"),
]
