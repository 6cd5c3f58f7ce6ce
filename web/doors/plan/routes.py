"""The addresses of the planners' door: editions of catchments, their rules, imports and trials; marked ground; gaps."""

from __future__ import annotations

from django.urls import path

from web.doors.plan import areas, compare, editions, fairness, gaps, imports, rules, selecting, table, validation

_ONE = "plan/editions/<uuid:edition_id>"

ROUTES = [
    *gaps.ROUTES,
    path("plan", editions.list_page, name="plan"),
    path("plan/begin", editions.begin, name="plan-begin"),
    path(_ONE, editions.edition_page, name="plan-edition"),
    path(f"{_ONE}/check", editions.check_page, name="plan-check"),
    path(f"{_ONE}/changes", editions.changes_page, name="plan-changes"),
    path(f"{_ONE}/rules", rules.rules_page, name="plan-rules"),
    path(f"{_ONE}/rules/save", rules.save, name="plan-rule-save"),
    path(f"{_ONE}/rules/delete", rules.delete, name="plan-rules-delete"),
    path(f"{_ONE}/rules.xlsx", editions.export, name="plan-export"),
    path(f"{_ONE}/import", imports.upload_page, name="plan-upload"),
    path("plan/imports/<uuid:import_id>", imports.import_page, name="plan-import"),
    path(f"{_ONE}/try", rules.try_page, name="plan-try"),
    path("help/plan", editions.help_page, name="help-plan"),
    *table.ROUTES,
    *selecting.ROUTES,
    *areas.ROUTES,
    *compare.ROUTES,
    *validation.ROUTES,
    *fairness.ROUTES,
]
