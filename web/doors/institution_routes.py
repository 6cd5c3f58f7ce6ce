"""The addresses of what institutions say of themselves: confirming, urging, links for self-report, and their review."""

from __future__ import annotations

from django.urls import path

from web.doors import filling, own_places, self_reports

ROUTES = [
    path("my/places", own_places.places_page, name="my-places"),
    path("my/places/undo", own_places.undo, name="my-place-undo"),
    path("my/places/<int:place_id>/confirm", own_places.confirm, name="my-place-confirm"),
    path("desk/unconfirmed", own_places.counts_page, name="desk-unconfirmed"),
    path("desk/unconfirmed/urge", own_places.urge_page, name="desk-urge"),
    path("desk/self-reports/send", self_reports.send_page, name="desk-self-report-send"),
    path("desk/self-reports/review", self_reports.review_page, name="desk-self-report-review"),
    path("desk/self-reports/<int:report_id>", self_reports.report_page, name="desk-self-report"),
    path("desk/self-reports/<int:report_id>/<slug:act>", self_reports.act_on, name="desk-self-report-act"),
    path("fill/<str:token>", filling.fill_page, name="fill"),
    path("fill/<str:token>/open", filling.open_link, name="fill-open"),
    path("fill/<str:token>/save", filling.save, name="fill-save"),
    path("fill/<str:token>/preview", filling.preview, name="fill-preview"),
    path("fill/<str:token>/submit", filling.submit, name="fill-submit"),
    path("fill/<str:token>/photos/<uuid:photo_id>", filling.photo, name="fill-photo"),
    path("help/self-report", own_places.help_page, name="help-self-report"),
]
