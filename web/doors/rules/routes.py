"""The addresses of rule sets at the desk."""

from __future__ import annotations

from django.urls import path

from web.doors.rules import editor, pages, trials

ROUTES = [
    path("desk/rules", pages.list_page, name="desk-rules"),
    path("desk/rules/versions/<uuid:version_id>", editor.version_page, name="desk-rule-version"),
    path("desk/rules/versions/<uuid:version_id>/cell", editor.cell, name="desk-rule-cell"),
    path("desk/rules/versions/<uuid:version_id>/compare", pages.compare_page, name="desk-rule-compare"),
    path("desk/rules/versions/<uuid:version_id>/table.xlsx", trials.table, name="desk-rule-table"),
    path("desk/rules/versions/<uuid:version_id>/trials", trials.start, name="desk-rule-trials"),
    path("desk/rules/trials/<uuid:trial_id>", trials.trial_page, name="desk-rule-trial"),
    path("desk/rules/trials/<uuid:trial_id>/stop", trials.stop, name="desk-rule-trial-stop"),
    path("desk/rules/trials/<uuid:trial_id>/report.xlsx", trials.report, name="desk-rule-trial-report"),
    path("desk/rules/<str:key>", pages.one_page, name="desk-rule-set"),
    path("desk/rules/<str:key>/draft", pages.open_page, name="desk-rule-open"),
    path("desk/rules/<str:key>/end", pages.end, name="desk-rule-end"),
]
