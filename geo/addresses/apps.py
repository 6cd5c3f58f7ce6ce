"""Django's entry for the addresses app."""

from django.apps import AppConfig


class AddressesConfig(AppConfig):
    name = "geo.addresses"
    label = "addresses"
    verbose_name = "地址"
