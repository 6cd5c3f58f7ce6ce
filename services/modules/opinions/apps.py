"""Django's entry for comments and suggestions."""

from django.apps import AppConfig


class OpinionsConfig(AppConfig):
    name = "services.modules.opinions"
    label = "opinions"
    verbose_name = "点评和建议"
