"""Every address of the house, in one place."""

from django.urls import path

from layers import pages as layers
from services.access import pages as access
from web.api.assembly import api
from web.doors import batches, convert, desk, find, mapstyle, pages, places, preferences, searching, standardise
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
    path("desk/settings", desk.settings_page, name="settings"),
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
