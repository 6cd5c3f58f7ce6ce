"""The addresses of the planners' door: editions of catchments, their rules, imports and trials."""

from __future__ import annotations

from django.urls import path

from web.doors import (
    fences,
    fences_files,
    fences_list,
    fences_map,
    following,
    plan,
    plan_areas,
    plan_compare,
    plan_fairness,
    plan_imports,
    plan_map,
    plan_rules,
    plan_validation,
    selecting,
)

_ONE = "plan/editions/<uuid:edition_id>"

ROUTES = [
    path("plan", plan.list_page, name="plan"),
    path("plan/begin", plan.begin, name="plan-begin"),
    path(_ONE, plan.edition_page, name="plan-edition"),
    path(f"{_ONE}/check", plan.check_page, name="plan-check"),
    path(f"{_ONE}/changes", plan.changes_page, name="plan-changes"),
    path(f"{_ONE}/rules", plan_rules.rules_page, name="plan-rules"),
    path(f"{_ONE}/rules/save", plan_rules.save, name="plan-rule-save"),
    path(f"{_ONE}/rules/delete", plan_rules.delete, name="plan-rules-delete"),
    path(f"{_ONE}/rules.xlsx", plan.export, name="plan-export"),
    path(f"{_ONE}/import", plan_imports.upload_page, name="plan-upload"),
    path("plan/imports/<uuid:import_id>", plan_imports.import_page, name="plan-import"),
    path(f"{_ONE}/try", plan_rules.try_page, name="plan-try"),
    path("help/plan", plan.help_page, name="help-plan"),
    path("plan/fences", fences.list_page, name="fences"),
    path("plan/fences/begin", fences.begin, name="fences-begin"),
    path("plan/fences/<uuid:edition_id>", fences.edition_page, name="fences-edition"),
    path("help/fences", fences.help_page, name="help-fences"),
    *following.ROUTES,
    *fences_map.ROUTES,
    *fences_files.ROUTES,
    *fences_list.ROUTES,
    *plan_map.ROUTES,
    *selecting.ROUTES,
    *plan_areas.ROUTES,
    *plan_compare.ROUTES,
    *plan_validation.ROUTES,
    *plan_fairness.ROUTES,
]
