"""Reads of base maps: which there are for whom, and how one is asked."""

from __future__ import annotations

from typing import Final, Literal

from django.db.models import QuerySet

from geo.errors import NotFound
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.basemaps.models import BaseMap, View
from services.crypto.queries import reveal_secrets
from services.integrations.basemaps.schemas import Imagery, Kind

DUTY: Final = "settings.write"
SECRET: Final = "basemaps.key"
MOST_CHANGES: Final = 20
Part = Literal["ground", "names"]


def base_maps(*, scope: Scope) -> list[BaseMap]:
    """Return the base maps that are on and that a scope may see, by what they show."""
    order = list(View)
    return sorted(_visible(scope), key=lambda row: (order.index(View(row.view)), row.title))


def base_map(key: str, *, scope: Scope) -> BaseMap:
    """Return one that is on. Raises ``NotFound`` when there is none, or not for this scope."""
    found = _visible(scope).filter(key=key).first()
    if found is None:
        raise NotFound("base_map_unknown", "没有这个底图，或者它已经停用。")
    return found


def leading_base_map(*, scope: Scope) -> BaseMap | None:
    """Return the one that maps of themes begin on, if it is on and the scope may see it."""
    return _visible(scope).filter(leads=True).first()


def every_base_map(*, scope: Scope) -> list[BaseMap]:
    """Return all base maps, on or off. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    return list(BaseMap.objects.all())


def base_map_set(pk: int, *, scope: Scope) -> BaseMap:
    """Return one, on or off. Needs ``settings.write`` over the city. Raises ``NotFound``."""
    check_city_duty(scope, DUTY)
    found = BaseMap.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("base_map_unknown", "这个底图已经删掉了。")
    return found


def changes_of(row: BaseMap, *, scope: Scope) -> list[BaseMap]:
    """Return a base map as it is and as it was before each change, newest first. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    return [row, *row.events.order_by("-pgh_id")[: MOST_CHANGES - 1]]


def imagery_of(row: BaseMap, part: Part) -> Imagery:
    """Return how a part of a base map is asked, its key opened. Raises ``NotFound`` for names it does not have."""
    names = part == "names"
    if names and not row.names_address:
        raise NotFound("names_missing", "这个底图没有单独的注记。")
    return Imagery(
        key=row.key, name=row.title, kind=Kind(row.kind), address=row.names_address if names else row.address,
        layer=row.names_layer if names else row.layer, style=row.style, matrix_set=row.matrix_set, matrix=row.matrix,
        picture=row.picture, secret_name=row.secret_name,
        secret=reveal_secrets(owner=row.uid, fields=[SECRET]).get(SECRET, "") if row.secret_name else "",
    )  # fmt: skip


def _visible(scope: Scope) -> QuerySet[BaseMap]:
    rows = BaseMap.objects.filter(on=True)
    return rows if is_staff(scope) else rows.filter(staff_only=False)


def is_staff(scope: Scope) -> bool:
    """Say whether a scope is of somebody who works for the city: it covers a region or an organisation."""
    return bool(scope.paths or scope.organisations)
