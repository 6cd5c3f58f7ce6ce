"""Django's entry for notices."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "services.kernel.messages.notices"
    label = "kernel_notices"
    verbose_name = "通知公告"
