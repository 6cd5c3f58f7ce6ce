"""The addresses of the log centre."""

from __future__ import annotations

from django.urls import path

from web.doors import log_alerts, log_figures, log_undos, logs

ROUTES = [
    path("desk/logs", logs.list_page, name="desk-logs"),
    path("desk/logs/found.csv", logs.export, name="desk-log-export"),
    path("desk/logs/figures", log_figures.figures_page, name="desk-log-figures"),
    path("desk/logs/storage", logs.storage_page, name="desk-log-storage"),
    path("desk/logs/archive", logs.archive, name="desk-log-archive"),
    path("desk/logs/undos", log_undos.undos_page, name="desk-log-undos"),
    path("desk/logs/undos/<uuid:undo_id>", log_undos.decide, name="desk-log-undo-decide"),
    path("desk/logs/alerts", log_alerts.alerts_page, name="desk-log-alerts"),
    path("desk/logs/alerts/<int:pk>/seen", log_alerts.see, name="desk-log-alert-see"),
    path("desk/logs/rules", log_alerts.rules_page, name="desk-log-rules"),
    path("desk/logs/rules/new", log_alerts.rule_page, name="desk-log-rule-new"),
    path("desk/logs/rules/<int:pk>", log_alerts.rule_page, name="desk-log-rule"),
    path("desk/logs/<int:pk>", logs.line_page, name="desk-log-line"),
    path("desk/logs/<int:pk>/undo", log_undos.undo, name="desk-log-undo"),
]
