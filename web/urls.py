"""Every address of the house: those of each part stand in its ``routes``; here they are joined."""

from django.urls import path

from services.access import pages as access
from services.access.signin import certificate_pages
from services.access.signin import pages as signin
from services.access.signin import provider_pages as by_provider
from web.api.assembly import api
from web.doors.account.routes import ROUTES as ACCOUNT_ROUTES
from web.doors.addresses.routes import ROUTES as ADDRESSES_ROUTES
from web.doors.analysis.routes import ROUTES as ANALYSIS_ROUTES
from web.doors.cases.routes import ROUTES as CASES_ROUTES
from web.doors.catalogue.routes import ROUTES as CATALOGUE_ROUTES
from web.doors.common.routes import ROUTES as COMMON_ROUTES
from web.doors.datasets.routes import ROUTES as DATASETS_ROUTES
from web.doors.desk.routes import ROUTES as DESK_ROUTES
from web.doors.eldermap.routes import ROUTES as ELDERMAP_ROUTES
from web.doors.enrol.routes import ROUTES as ENROL_ROUTES
from web.doors.fences.routes import ROUTES as FENCES_ROUTES
from web.doors.files.routes import ROUTES as FILES_ROUTES
from web.doors.finder.routes import ROUTES as FINDER_ROUTES
from web.doors.forms.routes import ROUTES as FORMS_ROUTES
from web.doors.islands.routes import ROUTES as ISLANDS_ROUTES
from web.doors.ledgers.routes import ROUTES as LEDGERS_ROUTES
from web.doors.logs.routes import ROUTES as LOGS_ROUTES
from web.doors.maps.routes import ROUTES as MAPS_ROUTES
from web.doors.messages.routes import ROUTES as MESSAGES_ROUTES
from web.doors.ogc.routes import ROUTES as OGC_ROUTES
from web.doors.plan.routes import ROUTES as PLAN_ROUTES
from web.doors.rules.routes import ROUTES as RULES_ROUTES
from web.doors.scenes.routes import ROUTES as SCENES_ROUTES
from web.doors.upkeep.routes import ROUTES as UPKEEP_ROUTES
from web.doors.visits.routes import ROUTES as VISITS_ROUTES
from web.doors.waste.routes import ROUTES as WASTE_ROUTES
from web.doors.watch.routes import ROUTES as WATCH_ROUTES
from web.health import health

urlpatterns = [
    *COMMON_ROUTES,
    *DESK_ROUTES,
    *ACCOUNT_ROUTES,
    *FINDER_ROUTES,
    *ELDERMAP_ROUTES,
    *MAPS_ROUTES,
    *CATALOGUE_ROUTES,
    *DATASETS_ROUTES,
    *SCENES_ROUTES,
    *OGC_ROUTES,
    *ANALYSIS_ROUTES,
    *WATCH_ROUTES,
    *PLAN_ROUTES,
    *FENCES_ROUTES,
    *ENROL_ROUTES,
    *FORMS_ROUTES,
    *UPKEEP_ROUTES,
    *CASES_ROUTES,
    *RULES_ROUTES,
    *LEDGERS_ROUTES,
    *FILES_ROUTES,
    *MESSAGES_ROUTES,
    *LOGS_ROUTES,
    *ADDRESSES_ROUTES,
    *ISLANDS_ROUTES,
    *WASTE_ROUTES,
    *VISITS_ROUTES,
    path("health", health, name="health"),
    path("api/", api.urls),
    path("sign-in", signin.sign_in, name="sign-in"),
    path("sign-in/code", signin.code, name="sign-in-code"),
    path("sign-in/set-up", signin.set_up, name="sign-in-set-up"),
    path("sign-in/new-password", signin.new_password, name="sign-in-new-password"),
    path("sign-in/with/<slug:key>", by_provider.with_provider, name="sign-in-with"),
    path("sign-in/with/<slug:key>/back", by_provider.came_back, name="sign-in-back"),
    path("sign-in/with/<slug:key>/ended", by_provider.ended_there, name="sign-in-ended"),
    path("sign-in/certificate", certificate_pages.sign_in, name="sign-in-certificate"),
    path("sign-in/certificate/without", certificate_pages.without, name="sign-in-without"),
    path("sign-out", signin.sign_out, name="sign-out"),
    path("account/password", signin.new_password, name="password"),
    path("account/second-step", signin.set_up, name="second-step"),
    path("account/second-step/codes", signin.renew_codes, name="recovery-codes"),
    path("account/second-step/off", signin.turn_off, name="second-step-off"),
    path("account/sessions/end", signin.end_others, name="sessions-end"),
    path("account/sessions/<uuid:uid>/end", signin.end_one, name="session-end"),
    path("account/certificates", certificate_pages.devices, name="certificates"),
    path("account/certificates/<uuid:uid>/end", certificate_pages.end, name="certificate-end"),
    path("account/with/<slug:key>/unbind", by_provider.unbind, name="unbind"),
    path("account", access.account, name="account"),
    path("account/keys", access.add_key, name="add-key"),
    path("account/keys/<slug:prefix>/stop", access.stop_key, name="stop-key"),
]
handler400 = "web.faults.bad_request"
handler404 = "web.faults.not_found"
handler500 = "web.faults.fault"
