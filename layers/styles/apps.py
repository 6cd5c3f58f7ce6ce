"""Django's entry for the styles of layers."""

from django.apps import AppConfig


class StylesConfig(AppConfig):
    name = "layers.styles"
    label = "layer_styles"
    verbose_name = "图层样式"
