"""Where the pages are on which places are kept."""

from django.urls import path

from web.doors import facility_upkeep, pages, place_history, place_upkeep

ROUTES = [
    path("help/upkeep", pages.help_upkeep, name="help-upkeep"),
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
]
