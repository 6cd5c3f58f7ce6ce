"""The addresses of what institutions say of themselves: confirming, and urging."""

from __future__ import annotations

from django.urls import path

from web.doors import own_places

ROUTES = [
    path("my/places", own_places.places_page, name="my-places"),
    path("my/places/undo", own_places.undo, name="my-place-undo"),
    path("my/places/<int:place_id>/confirm", own_places.confirm, name="my-place-confirm"),
    path("desk/unconfirmed", own_places.counts_page, name="desk-unconfirmed"),
    path("desk/unconfirmed/urge", own_places.urge_page, name="desk-urge"),
    path("help/self-report", own_places.help_page, name="help-self-report"),
]
