"""The addresses of the catalogue."""

from __future__ import annotations

from django.urls import path

from web.doors import catalogue

ROUTES = [
    path("layers", catalogue.list_page, name="catalogue"),
    path("layers/<slug:key>", catalogue.layer_page, name="catalogue-layer"),
    path("functions/<slug:key>", catalogue.function_page, name="catalogue-function"),
    path("help/catalogue", catalogue.help_page, name="help-catalogue"),
]
