"""Every address of the house, in one place."""

from django.urls import path

from layers import pages as layers
from services.access import pages as access
from web.api.assembly import api
from web.doors import pages, preferences
from web.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("api/", api.urls),
    path("tiles", layers.catalogue, name="layers"),
    path("tiles/<slug:key>.json", layers.tilejson, name="tilejson"),
    path("tiles/<slug:key>/<int:z>/<int:x>/<int:y>.mvt", layers.tile, name="tile"),
    path("help", pages.help_page, name="help"),
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
