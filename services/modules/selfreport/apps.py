"""Django's entry for what institutions say of themselves."""

from django.apps import AppConfig


class SelfReportConfig(AppConfig):
    name = "services.modules.selfreport"
    label = "selfreport"
    verbose_name = "机构填报"
