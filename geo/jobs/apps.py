"""Django's entry for the jobs app; finds the kinds of work in every app's ``jobs`` module."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "geo.jobs"
    label = "jobs"
    verbose_name = "任务"

    def ready(self) -> None:
        """Import the ``jobs`` module of every installed app, which registers its kinds."""
        autodiscover_modules("jobs")
