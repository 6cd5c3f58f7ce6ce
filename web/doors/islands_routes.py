"""The addresses of 尚岛服务一张图, for visitors and for the desk."""

from django.urls import path

from web.doors import islands, islands_desk

ROUTES = [
    path("islands", islands.page, name="islands"),
    path("islands/quality", islands.quality_page, name="islands-quality"),
    path("islands/places/<int:place_id>", islands.place_card, name="islands-place"),
    path("desk/islands", islands_desk.list_page, name="desk-islands"),
    path("desk/islands/move", islands_desk.move, name="desk-islands-move"),
    path("desk/islands/<slug:key>", islands_desk.layer_page, name="desk-island"),
    path("desk/islands/<slug:key>/places/<int:place_id>/retire", islands_desk.retire, name="desk-island-retire"),
    path("help/islands", islands.help_page, name="help-islands"),
]
