"""The addresses of the log centre."""

from __future__ import annotations

from django.urls import path

from web.doors.logs import alerts, figures, lines, undos

ROUTES = [
    path("desk/logs", lines.list_page, name="desk-logs"),
    path("desk/logs/found.csv", lines.export, name="desk-log-export"),
    path("desk/logs/figures", figures.figures_page, name="desk-log-figures"),
    path("desk/logs/storage", lines.storage_page, name="desk-log-storage"),
    path("desk/logs/archive", lines.archive, name="desk-log-archive"),
    path("desk/logs/undos", undos.undos_page, name="desk-log-undos"),
    path("desk/logs/undos/<uuid:undo_id>", undos.decide, name="desk-log-undo-decide"),
    path("desk/logs/alerts", alerts.alerts_page, name="desk-log-alerts"),
    path("desk/logs/alerts/<int:pk>/seen", alerts.see, name="desk-log-alert-see"),
    path("desk/logs/rules", alerts.rules_page, name="desk-log-rules"),
    path("desk/logs/rules/new", alerts.rule_page, name="desk-log-rule-new"),
    path("desk/logs/rules/<int:pk>", alerts.rule_page, name="desk-log-rule"),
    path("desk/logs/<int:pk>", lines.line_page, name="desk-log-line"),
    path("desk/logs/<int:pk>/undo", undos.undo, name="desk-log-undo"),
]
