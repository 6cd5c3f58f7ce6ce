"""Django's entry for channels."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "services.modules.finder.channels"
    label = "finder_channels"
    verbose_name = "渠道"
