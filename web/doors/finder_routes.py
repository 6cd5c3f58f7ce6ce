"""The addresses of one place and of what people keep and say of places: favourites, comparing, reports."""

from __future__ import annotations

from django.urls import path

from web.doors import comparing, favourites, one_place, recommending, reporting, uses

ROUTES = [
    path("places/compare", comparing.compare_page, name="compare"),
    path("places/<int:place_id>", one_place.place_page, name="place"),
    path("places/<int:place_id>/qr.svg", one_place.qr_code, name="place-qr"),
    path("places/<int:place_id>/wrong", reporting.wrong_page, name="place-wrong"),
    path("places/<int:place_id>/used", uses.used, name="place-used"),
    path("places/used", uses.seen, name="list-used"),
    path("my/recommending", recommending.page, name="my-recommending"),
    path("my/recommending/agree", recommending.agree, name="recommending-agree"),
    path("my/recommending/withdraw", recommending.withdraw, name="recommending-withdraw"),
    path("my/recommending/why", recommending.why, name="recommending-why"),
    path("my/recommending/dismiss", recommending.dismiss, name="recommending-dismiss"),
    path("my/recommending/<slug:side>", recommending.state, name="recommending-state"),
    path("help/recommending", recommending.help_page, name="help-recommending"),
    path("desk/finder/uses.csv", uses.export, name="finder-uses"),
    path("saved", favourites.saved, name="saved"),
    path("saved/mark", favourites.mark, name="saved-mark"),
    path("saved/arrange", favourites.arrange, name="saved-arrange"),
    path("saved/note", favourites.note, name="saved-note"),
    path("help/places", one_place.help_page, name="help-places"),
    path("desk/place-reports/<int:report_id>", reporting.report_page, name="desk-place-report"),
]
