"""The addresses of visits to people's homes: on the telephone of who goes there, at the desk of who arranges and supervises."""

from __future__ import annotations

from django.urls import path

from web.doors.visits import checkins, desk, pages

ROUTES = [
    path("my/visits", pages.list_page, name="my-visits"),
    path("my/visits/consent", pages.consent, name="my-visit-consent"),
    path("my/visits/<uuid:uid>", pages.visit_page, name="my-visit"),
    path("my/visits/<uuid:uid>/check", pages.check, name="my-visit-check"),
    path("my/visits/<uuid:uid>/face", pages.face, name="my-visit-face"),
    path("desk/visits", desk.list_page, name="desk-visits"),
    path("desk/visits/new", desk.new_page, name="desk-visit-new"),
    path("desk/visits/list", desk.list_upload, name="desk-visit-list"),
    path("desk/visits/template.csv", desk.template, name="desk-visit-template"),
    path("desk/visits/<slug:number>", desk.visit_page, name="desk-visit"),
    path("desk/checkins", checkins.overview, name="desk-checkins"),
    path("desk/checkins/<int:pk>", checkins.record_page, name="desk-checkin"),
    path("desk/checkins/<int:pk>/reveal", checkins.reveal, name="desk-checkin-reveal"),
    path("desk/checkins/<int:pk>/review", checkins.review, name="desk-checkin-review"),
    path("desk/checkins/<int:pk>/photo", checkins.photo, name="desk-checkin-photo"),
    path("help/checkins", pages.help_page, name="help-checkins"),
]
