"""Django's entry for personal data."""

from django.apps import AppConfig


class PersonalConfig(AppConfig):
    name = "services.access.personal"
    label = "access_personal"
    verbose_name = "个人信息"
