"""The addresses of base maps."""

from __future__ import annotations

from django.urls import path

from web.doors import basemaps, basemaps_desk

ROUTES = [
    path("basemaps", basemaps.choices, name="basemaps"),
    path("basemaps/<slug:key>/<int:z>/<int:x>/<int:y>", basemaps.ground, name="basemap-tile"),
    path("basemaps/<slug:key>/names/<int:z>/<int:x>/<int:y>", basemaps.names, name="basemap-names"),
    path("help/basemaps", basemaps_desk.help_page, name="help-basemaps"),
    path("desk/basemaps", basemaps_desk.list_page, name="desk-basemaps"),
    path("desk/basemaps/new", basemaps_desk.add, name="desk-basemap-new"),
    path("desk/basemaps/<int:pk>", basemaps_desk.one, name="desk-basemap"),
    path("desk/basemaps/<int:pk>/try", basemaps_desk.try_out, name="desk-basemap-try"),
    path("desk/basemaps/<int:pk>/delete", basemaps_desk.delete, name="desk-basemap-delete"),
]
