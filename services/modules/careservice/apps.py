"""Django's entry for applications for services for elders."""

from django.apps import AppConfig


class CareServiceConfig(AppConfig):
    name = "services.modules.careservice"
    label = "careservice"
    verbose_name = "养老服务申请"
