"""The ASGI application of what stays open: streams of events, for a process of its own behind nginx."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
application = get_asgi_application()
