"""Reads of platforms: the list their keepers see, one of them, its live secrets, and its calls."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.models import EditionState, RegionVersion
from geo.scope import Scope
from services.access.clients.models import ApiClient, ClientCall, ClientKey
from services.access.queries import check_city_duty
from services.crypto.sealing import unseal

KEEP: Final = "clients.edit"
"""The duty over the whole city that opens the registry: who may let whom in is decided in one place."""
SECRET_FIELD: Final = "client.secret"


def clients_kept(*, scope: Scope) -> QuerySet[ApiClient]:
    """Return all platforms to those who keep the registry. Raises ``Forbidden``."""
    check_city_duty(scope, KEEP)
    return ApiClient.objects.all()


def client_kept(app: str, *, scope: Scope) -> ApiClient:
    """Return one platform by its number. Raises ``Forbidden``, ``NotFound``."""
    found = clients_kept(scope=scope).filter(app=app).first()
    if found is None:
        raise NotFound("client_unknown", "没有找到这个接入平台，请回到列表重新选择。")
    return found


def client_calling(app: str, *, day: dt.date) -> ApiClient | None:
    """Return the platform of that number if it may call on a day."""
    return ApiClient.objects.filter(
        Q(to_day=None) | Q(to_day__gte=day), app=app[:20], active=True, from_day__lte=day
    ).first()


def live_secrets(client: ApiClient) -> list[tuple[ClientKey, str]]:
    """Return the keys of a platform that were not stopped, the older first, with their secrets."""
    return [(key, unseal(key.secret, field=SECRET_FIELD, owner=key.pk)) for key in client.keys.filter(stopped_at=None)]


def region_paths(client: ApiClient) -> dict[str, str]:
    """Return the paths of the regions on the white list of a platform by their published codes."""
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region__in=client.regions.all())
    return dict(rows.values_list("code", "path"))


def organisations_listed(client: ApiClient) -> dict[str, int]:
    """Return the organisations on the white list of a platform by their credit codes."""
    return dict(client.organisations.exclude(credit_code="").filter(active=True).values_list("credit_code", "pk"))


def recent_calls(client: ApiClient, *, most: int = 20) -> list[ClientCall]:
    """Return the newest calls of a platform."""
    return list(client.calls.order_by("-at", "-id")[:most])


def calls_today(client: ApiClient) -> Counter[str]:
    """Return how many calls of a platform came out how since midnight, by the clock of the city."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return Counter(client.calls.filter(at__gte=midnight).values_list("outcome", flat=True))
