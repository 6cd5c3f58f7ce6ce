"""Every address of the house, in one place."""

from django.urls import path

from services.access import pages as access
from web.api.assembly import api
from web.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("api/", api.urls),
    path("sign-in", access.sign_in, name="sign-in"),
    path("sign-out", access.sign_out, name="sign-out"),
    path("account", access.account, name="account"),
    path("account/keys", access.add_key, name="add-key"),
    path("account/keys/<slug:prefix>/stop", access.stop_key, name="stop-key"),
]
