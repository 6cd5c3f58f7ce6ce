"""The edge: settings, URLs, API assembly, doors and static files."""

from web.celery import app as celery_app

__all__ = ["celery_app"]
