"""Which map app takes a family to a place: those there are, and the one the city has set to be offered first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.models import CitySettings

NAVIGATION_APPS: Final = {
    "amap_web": "高德地图",
    "baidu_web": "百度地图",
    "tencent_web": "腾讯地图",
    "apple": "苹果地图",
    "geo": "手机里的其他地图",
}
"""The apps by their keys in ``geo.crs.navigation``, with the names people know."""
USUAL_APP: Final = "amap_web"
MOST_CHANGES: Final = 20


@dataclass(frozen=True, slots=True)
class AppChoice:
    """One choice of the first app: by whom (an account name) and when (aware, UTC)."""

    app: str
    by: str
    at: dt.datetime

    @property
    def name(self) -> str:
        """Return the name people know the app by."""
        return NAVIGATION_APPS.get(self.app, self.app)


def first_navigation_app(*, scope: Scope) -> str:
    """Return the key of the app that is offered first: the one set for the city, else that of the environment.

    Everybody may know it: what was set is meant for everybody.
    """
    chosen = CitySettings.objects.filter(city=current_city().key).values_list("navigation_app", flat=True).first()
    return next((app for app in (chosen, settings.NAVIGATION_APP) if app in NAVIGATION_APPS), USUAL_APP)


def navigation_choices(*, scope: Scope) -> list[AppChoice]:
    """Return what was set in the back office, newest first; nothing while the environment decides. Needs ``settings.write``."""
    check_city_duty(scope, "settings.write")
    row = CitySettings.objects.filter(city=current_city().key).first()
    if row is None:
        return []
    before = row.events.exclude(changed_by="").order_by("-pgh_id")[: MOST_CHANGES - 1]
    return [AppChoice(one.navigation_app, one.changed_by, one.changed_at) for one in (row, *before)]
