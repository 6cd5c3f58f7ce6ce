"""The addresses of 入园: asking, picking on the map, the text of the rules, a check of an answer."""

from __future__ import annotations

from django.urls import path

from web.doors.enrol import check, pages, picking, rules

ROUTES = [
    path("enrol", pages.page, name="enrol"),
    path("enrol/own", pages.own, name="enrol-own"),
    path("enrol/suggest", pages.suggest, name="enrol-suggest"),
    path("enrol/doors", picking.doors, name="enrol-doors"),
    path("enrol/check", check.begin, name="enrol-check"),
    path("enrol/rules/<uuid:edition_id>", rules.page, name="enrol-rules"),
    path("help/enrol", pages.help_page, name="help-enrol"),
]
