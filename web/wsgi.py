"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
application = get_wsgi_application()

if os.environ.get("QUANTU_WARM_UP"):
    from web.warming import warm_up

    warm_up(application)
