"""The addresses of OGC API – Processes."""

from __future__ import annotations

from django.urls import path

from web.doors import processes

ROUTES = [
    path("ogc/processes", processes.process_list, name="ogc-processes"),
    path("ogc/processes/<slug:key>", processes.process, name="ogc-process"),
    path("ogc/processes/<slug:key>/execution", processes.execution, name="ogc-execution"),
    path("ogc/jobs", processes.job_list, name="ogc-jobs"),
    path("ogc/jobs/<slug:run_id>", processes.job, name="ogc-job"),
    path("ogc/jobs/<slug:run_id>/results", processes.results, name="ogc-results"),
    path("ogc/jobs/<slug:run_id>/results/<slug:name>", processes.output, name="ogc-output"),
]
