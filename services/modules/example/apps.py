"""Django's entry for the example."""

from django.apps import AppConfig


class ExampleConfig(AppConfig):
    name = "services.modules.example"
    label = "example"
    verbose_name = "示例事项"
