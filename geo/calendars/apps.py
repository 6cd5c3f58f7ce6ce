"""Django's entry for the calendars app; keeps the official days known to the database."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CalendarsConfig(AppConfig):
    """The app, and what it does after a migration."""

    name = "geo.calendars"
    label = "calendars"
    verbose_name = "工作日历"

    def ready(self) -> None:
        """Bring the announced days of years that nobody has kept yet, after each migration."""
        from geo.calendars.announced import bring_announced

        post_migrate.connect(bring_announced, sender=self, dispatch_uid="calendars.announced")
