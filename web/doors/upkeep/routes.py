"""The addresses of keeping places: by staff, and by institutions themselves."""

from __future__ import annotations

from django.urls import path

from web.doors.upkeep import facility_upkeep, kinds, own_places, place_history, place_upkeep, self_filling, self_reports

ROUTES = [
    path("desk/facilities/<int:facility_id>/status", facility_upkeep.status_page, name="desk-facility-status"),
    path("desk/places/new", place_upkeep.new_page, name="desk-place-new"),
    path("desk/places/check", place_upkeep.check_position, name="desk-place-check"),
    path("desk/places/drafts/<uuid:draft_id>/drop", place_upkeep.drop_page, name="desk-place-draft-drop"),
    path("desk/places/<int:facility_id>/edit", place_upkeep.edit_page, name="desk-place-edit"),
    path("desk/places/<int:facility_id>/history", place_history.history_page, name="desk-place-history"),
    path("desk/places/<int:facility_id>/merge", place_history.merge_page, name="desk-place-merge"),
    path("desk/places/<int:facility_id>/changes/<int:change_id>/undo", place_history.undo, name="desk-place-undo"),
    *(
        path(f"desk/places/<int:facility_id>/{act}", place_history.act_on, {"act": act}, name=f"desk-place-{act}")
        for act in place_history.DONE
    ),
    path("my/places", own_places.places_page, name="my-places"),
    path("my/places/undo", own_places.undo, name="my-place-undo"),
    path("my/places/<int:place_id>/confirm", own_places.confirm, name="my-place-confirm"),
    path("desk/unconfirmed", own_places.counts_page, name="desk-unconfirmed"),
    path("desk/unconfirmed/urge", own_places.urge_page, name="desk-urge"),
    path("desk/self-reports/send", self_reports.send_page, name="desk-self-report-send"),
    path("desk/self-reports/review", self_reports.review_page, name="desk-self-report-review"),
    path("desk/self-reports/<int:report_id>", self_reports.report_page, name="desk-self-report"),
    path("desk/self-reports/<int:report_id>/<slug:act>", self_reports.act_on, name="desk-self-report-act"),
    path("fill/<str:token>", self_filling.fill_page, name="fill"),
    path("fill/<str:token>/open", self_filling.open_link, name="fill-open"),
    path("fill/<str:token>/save", self_filling.save, name="fill-save"),
    path("fill/<str:token>/preview", self_filling.preview, name="fill-preview"),
    path("fill/<str:token>/submit", self_filling.submit, name="fill-submit"),
    path("fill/<str:token>/photos/<uuid:photo_id>", self_filling.photo, name="fill-photo"),
    path("help/self-report", own_places.help_page, name="help-self-report"),
    *kinds.ROUTES,
]
