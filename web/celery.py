"""The Celery application: tasks are found in the ``tasks`` module of each installed app."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
app = Celery("quantu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
