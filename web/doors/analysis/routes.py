"""The addresses of spatial analysis."""

from __future__ import annotations

from django.urls import path

from web.doors.analysis import pages

ROUTES = [
    path("plan/analysis", pages.work_page, name="analysis"),
    path("plan/analysis/runs/<uuid:run_id>", pages.run_page, name="analysis-run"),
    path("plan/analysis/runs/<uuid:run_id>/save", pages.save, name="analysis-save"),
    path("plan/analysis/runs/<uuid:run_id>/stop", pages.stop, name="analysis-stop"),
    path("plan/analysis/runs/<uuid:run_id>/delete", pages.remove, name="analysis-delete"),
    path("plan/analysis/runs/<uuid:run_id>/file", pages.file, name="analysis-file"),
    path("plan/analysis/saving/<uuid:job_id>", pages.saving_page, name="analysis-saving"),
    path("help/analysis", pages.help_page, name="help-analysis"),
]
