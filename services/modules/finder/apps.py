"""Django's entry for favourites and reports of what is wrong with a place."""

from django.apps import AppConfig


class FinderConfig(AppConfig):
    name = "services.modules.finder"
    label = "finder"
    verbose_name = "随心查"
