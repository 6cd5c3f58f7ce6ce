"""The addresses of 入园: asking, picking on the map, the text of the rules, a check of an answer, help."""

from __future__ import annotations

from django.urls import path

from web.doors import enrol, enrol_check, enrol_picking, enrol_rules

ROUTES = [
    path("enrol", enrol.page, name="enrol"),
    path("enrol/own", enrol.own, name="enrol-own"),
    path("enrol/suggest", enrol.suggest, name="enrol-suggest"),
    path("enrol/doors", enrol_picking.doors, name="enrol-doors"),
    path("enrol/check", enrol_check.begin, name="enrol-check"),
    path("enrol/rules/<uuid:edition_id>", enrol_rules.page, name="enrol-rules"),
    path("help/enrol", enrol.help_page, name="help-enrol"),
]
