"""The addresses of datasets at the desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from web.doors.datasets import desk, files, query, work

_ONE = "desk/layers/<slug:key>"


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how layers are made, filled, edited and published."""
    return render(request, "help/datasets.html")


ROUTES = [
    path("desk/layers", desk.list_page, name="desk-datasets"),
    path("desk/layers/new", desk.new_page, name="desk-dataset-new"),
    path("desk/layers/query", query.query_page, name="desk-dataset-query"),
    path("desk/layers/imports/<uuid:import_id>", files.import_page, name="desk-dataset-import"),
    path("desk/layers/imports/<uuid:import_id>/file", files.original, name="desk-dataset-import-file"),
    path(_ONE, work.work_page, name="desk-dataset"),
    path(f"{_ONE}/near.json", work.near, name="desk-dataset-near"),
    path(f"{_ONE}/draft/<int:revision>/<int:z>/<int:x>/<int:y>.mvt", work.draft_tile, name="desk-dataset-tile"),
    path(f"{_ONE}/files", files.files_page, name="desk-dataset-files"),
    path(f"{_ONE}/versions", desk.versions_page, name="desk-dataset-versions"),
    path(f"{_ONE}/compare", desk.compare_page, name="desk-dataset-compare"),
    path(f"{_ONE}/settings", desk.settings_page, name="desk-dataset-settings"),
    path(f"{_ONE}/history", work.history_page, name="desk-dataset-history"),
    path(f"{_ONE}/refresh", query.refresh_page, name="desk-dataset-refresh"),
    path("help/datasets", help_page, name="help-datasets"),
]
