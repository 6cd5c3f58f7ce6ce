"""Django's entry for subjects that move."""

from django.apps import AppConfig


class FollowingConfig(AppConfig):
    """The app."""

    name = "services.fencing.following"
    label = "fencing_following"
    verbose_name = "围栏跟踪"
