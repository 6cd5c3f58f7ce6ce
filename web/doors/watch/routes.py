"""The addresses of the maps of supervisors."""

from __future__ import annotations

from django.urls import path

from web.doors.watch import board, choropleths, heat

ROUTES = [
    path("watch/heat", heat.home, name="heat"),
    path("watch/heat/<slug:key>", heat.heat_page, name="heat-map"),
    path("watch/heat/<slug:key>/table", heat.export, name="heat-table"),
    path("help/heat", heat.help_page, name="help-heat"),
    *choropleths.ROUTES,
    *board.ROUTES,
]
