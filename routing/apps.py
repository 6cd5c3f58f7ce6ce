"""Django's entry for travel: it brings no tables, only the work of rebuilding the graph."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Travel on the road graph."""

    name = "routing"
    label = "routing"
    verbose_name = "出行"
