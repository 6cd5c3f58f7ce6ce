"""Django's entry for recommending."""

from django.apps import AppConfig


class RecommendingConfig(AppConfig):
    name = "services.modules.finder.recommending"
    label = "finder_recommending"
    verbose_name = "机构推荐"
