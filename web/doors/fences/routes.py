"""The addresses of fences: editions, drawing, files, following."""

from __future__ import annotations

from django.urls import path

from web.doors.fences import editions, files, following, listing, table

ROUTES = [
    path("plan/fences", editions.list_page, name="fences"),
    path("plan/fences/begin", editions.begin, name="fences-begin"),
    path("plan/fences/<uuid:edition_id>", editions.edition_page, name="fences-edition"),
    path("help/fences", editions.help_page, name="help-fences"),
    *following.ROUTES,
    *table.ROUTES,
    *files.ROUTES,
    *listing.ROUTES,
]
