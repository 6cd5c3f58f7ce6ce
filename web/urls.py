"""Every address of the house, in one place."""

from django.urls import path

from layers import pages as layers
from services.access import pages as access
from web.api.assembly import api
from web.doors import (
    address_reviews,
    addresses,
    batches,
    convert,
    desk,
    find,
    ledgers,
    mapstyle,
    pages,
    places,
    preferences,
    searching,
    standardise,
)
from web.health import health

urlpatterns = [
    path("", find.find, name="find"),
    path("find/suggest", searching.suggest, name="suggest"),
    path("places", places.all_places, name="places"),
    path("places/<int:place_id>", places.place_page, name="place"),
    path("places/<int:place_id>/card", places.place_card, name="place-card"),
    path("here", places.here, name="here"),
    path("saved", places.saved, name="saved"),
    path("health", health, name="health"),
    path("api/", api.urls),
    path("tiles", layers.catalogue, name="layers"),
    path("tiles/<slug:key>.json", layers.tilejson, name="tilejson"),
    path("tiles/<slug:key>/<int:z>/<int:x>/<int:y>.mvt", layers.tile, name="tile"),
    path("style/<slug:name>.json", mapstyle.style, name="style"),
    path("tools/convert", convert.convert_page, name="convert"),
    path("tools/standardise", standardise.standardise_page, name="standardise"),
    path("tools/standardise/batches", batches.batches_page, name="batches"),
    path("tools/standardise/batches/<uuid:batch_id>", batches.batch_page, name="batch"),
    path("tools/standardise/batches/<uuid:batch_id>/start", batches.start, name="batch-start"),
    path("tools/standardise/batches/<uuid:batch_id>/stop", batches.stop, name="batch-stop"),
    path("tools/standardise/batches/<uuid:batch_id>/go-on", batches.go_on, name="batch-go-on"),
    path("tools/standardise/batches/<uuid:batch_id>/delete", batches.remove, name="batch-delete"),
    path("tools/standardise/batches/<uuid:batch_id>/result", batches.result, name="batch-result"),
    path("help", pages.help_page, name="help"),
    path("help/addresses", pages.help_addresses, name="help-addresses"),
    path("desk", ledgers.desk_page, name="desk"),
    path("desk/ledgers/views/<int:view_id>/delete", ledgers.drop_view, name="desk-view-delete"),
    path("desk/ledgers/<slug:key>", ledgers.list_page, name="desk-ledger"),
    path("desk/ledgers/<slug:key>/<int:pk>", ledgers.record_page, name="desk-ledger-record"),
    path("desk/ledgers/<slug:key>/pins.json", ledgers.pins, name="desk-ledger-pins"),
    path("desk/ledgers/<slug:key>/export", ledgers.export, name="desk-ledger-export"),
    path("desk/ledgers/<slug:key>/print", ledgers.print_page, name="desk-ledger-print"),
    path("desk/ledgers/<slug:key>/views", ledgers.keep_view, name="desk-ledger-keep"),
    path("desk/settings", desk.settings_page, name="settings"),
    path("desk/addresses", addresses.list_page, name="desk-addresses"),
    path("desk/addresses/new", addresses.add_page, name="desk-address-add"),
    path("desk/addresses/read", addresses.read_text, name="desk-address-read"),
    path("desk/addresses/conflicts", address_reviews.conflicts_page, name="desk-address-conflicts"),
    path("desk/addresses/conflicts/search", address_reviews.search_conflicts, name="desk-address-conflicts-search"),
    path("desk/addresses/conflicts/<int:conflict_id>", address_reviews.decide, name="desk-address-decide"),
    path("desk/addresses/audit", address_reviews.audit_page, name="desk-address-audit"),
    path("desk/addresses/audit/start", address_reviews.start_audit, name="desk-address-audit-start"),
    path("desk/addresses/audit.csv", address_reviews.audit_file, name="desk-address-audit-file"),
    path("desk/addresses/<int:address_id>", addresses.address_page, name="desk-address"),
    path("desk/addresses/<int:address_id>/undo/<int:change_id>", addresses.undo, name="desk-address-undo"),
    *(
        path(f"desk/addresses/<int:address_id>/{act}", addresses.act_on, {"act": act}, name=f"desk-address-{act}")
        for act in addresses.ACTS
    ),
    path("view", preferences.choose_view, name="view"),
    path("sign-in", access.sign_in, name="sign-in"),
    path("sign-out", access.sign_out, name="sign-out"),
    path("account", access.account, name="account"),
    path("account/keys", access.add_key, name="add-key"),
    path("account/keys/<slug:prefix>/stop", access.stop_key, name="stop-key"),
]

handler400 = "web.faults.bad_request"
handler404 = "web.faults.not_found"
handler500 = "web.faults.fault"
