"""Django's entry for signing in."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "services.access.signin"
    label = "access_signin"
    verbose_name = "登录"
