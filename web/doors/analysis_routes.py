"""The addresses of spatial analysis."""

from __future__ import annotations

from django.urls import path

from web.doors import analysis

ROUTES = [
    path("plan/analysis", analysis.work_page, name="analysis"),
    path("plan/analysis/runs/<uuid:run_id>", analysis.run_page, name="analysis-run"),
    path("plan/analysis/runs/<uuid:run_id>/save", analysis.save, name="analysis-save"),
    path("plan/analysis/runs/<uuid:run_id>/stop", analysis.stop, name="analysis-stop"),
    path("plan/analysis/runs/<uuid:run_id>/delete", analysis.remove, name="analysis-delete"),
    path("plan/analysis/runs/<uuid:run_id>/file", analysis.file, name="analysis-file"),
    path("plan/analysis/saving/<uuid:job_id>", analysis.saving_page, name="analysis-saving"),
    path("help/analysis", analysis.help_page, name="help-analysis"),
]
