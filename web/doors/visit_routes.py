"""The addresses of visits to people's homes: on the telephone of who goes there, at the desk of who arranges and supervises."""

from __future__ import annotations

from django.urls import path

from web.doors import checkin_desk, visit_desk, visits

ROUTES = [
    path("my/visits", visits.list_page, name="my-visits"),
    path("my/visits/consent", visits.consent, name="my-visit-consent"),
    path("my/visits/<uuid:uid>", visits.visit_page, name="my-visit"),
    path("my/visits/<uuid:uid>/check", visits.check, name="my-visit-check"),
    path("my/visits/<uuid:uid>/face", visits.face, name="my-visit-face"),
    path("desk/visits", visit_desk.list_page, name="desk-visits"),
    path("desk/visits/new", visit_desk.new_page, name="desk-visit-new"),
    path("desk/visits/list", visit_desk.list_upload, name="desk-visit-list"),
    path("desk/visits/template.csv", visit_desk.template, name="desk-visit-template"),
    path("desk/visits/<slug:number>", visit_desk.visit_page, name="desk-visit"),
    path("desk/checkins", checkin_desk.overview, name="desk-checkins"),
    path("desk/checkins/<int:pk>", checkin_desk.record_page, name="desk-checkin"),
    path("desk/checkins/<int:pk>/reveal", checkin_desk.reveal, name="desk-checkin-reveal"),
    path("desk/checkins/<int:pk>/review", checkin_desk.review, name="desk-checkin-review"),
    path("desk/checkins/<int:pk>/photo", checkin_desk.photo, name="desk-checkin-photo"),
    path("help/checkins", visits.help_page, name="help-checkins"),
]
