"""Django's entry for spatial analysis."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "layers.analysis"
    label = "analysis"
    verbose_name = "空间分析"
