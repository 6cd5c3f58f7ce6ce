"""The WSGI application that granian serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from geo.kept.scratch import begin

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
application = get_wsgi_application()
begin(settings.SCRATCH)

if os.environ.get("QUANTU_WARM_UP"):
    from web.warming import ListKeeper, settle, warm_up

    warm_up(application)
    settle()
    ListKeeper(application).start()
