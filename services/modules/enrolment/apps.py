"""Django's entry for enrolment."""

from django.apps import AppConfig


class EnrolmentConfig(AppConfig):
    name = "services.modules.enrolment"
    label = "enrolment"
    verbose_name = "入园登记与报名"
