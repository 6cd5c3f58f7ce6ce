"""The addresses of 尚岛服务一张图, for visitors and for the desk."""

from __future__ import annotations

from django.urls import path

from web.doors.islands import desk, pages

ROUTES = [
    path("islands", pages.page, name="islands"),
    path("islands/quality", pages.quality_page, name="islands-quality"),
    path("islands/places/<int:place_id>", pages.place_card, name="islands-place"),
    path("desk/islands", desk.list_page, name="desk-islands"),
    path("desk/islands/move", desk.move, name="desk-islands-move"),
    path("desk/islands/<slug:key>", desk.layer_page, name="desk-island"),
    path("desk/islands/<slug:key>/places/<int:place_id>/retire", desk.retire, name="desk-island-retire"),
    path("help/islands", pages.help_page, name="help-islands"),
]
