"""Writes of base maps: connected, changed, tried, deleted; each needs ``settings.write`` over the city."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

import pghistory
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from geo.crs.cities import CITIES
from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.basemaps.models import BaseMap, View
from services.basemaps.queries import DUTY, SECRET, base_map_set, imagery_of
from services.crypto.actions import drop_secrets, keep_secrets
from services.integrations.basemaps.client import Picture, check_offered, fetch_tile
from services.integrations.basemaps.schemas import WORD, Kind, checked_address
from tiles.schemes import tile_at

KEY_LIKE: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
NAME_LIKE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MATRIX: Final = re.compile(r"[A-Za-z0-9._:-]{0,40}\{z\}")
MOST_ZOOM: Final = 22
TRIED_ZOOM: Final = 12
STALE: Final = "别人刚改过这个底图。请看过下面现在的设置，再改一次。"
LONGEST: Final = {"title": 20, "attribution": 80, "approval": 40}
DATUMS: Final = {"cgcs2000": "CGCS2000 或 WGS-84，没有偏移", "gcj02": "GCJ-02（火星坐标）", "bd09": "BD-09（百度）"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What staff set. ``secret`` is a new key, '' to leave the one that is kept; ``forget`` drops it."""

    key: str
    title: str
    view: str
    kind: str
    address: str
    attribution: str
    layer: str = ""
    names_address: str = ""
    names_layer: str = ""
    style: str = "default"
    matrix_set: str = "w"
    matrix: str = "{z}"
    picture: str = "tiles"
    secret_name: str = "tk"
    secret: str = ""
    forget: bool = False
    approval: str = ""
    datum: str = "cgcs2000"
    min_zoom: int = 1
    max_zoom: int = 18
    staff_only: bool = False
    on: bool = False
    leads: bool = False


NOT_KEPT: Final = frozenset({"secret", "secret_name", "forget", "datum"})


@transaction.atomic
def keep_base_map(*, wanted: Wanted, scope: Scope, pk: int | None = None, seen: int = 0) -> BaseMap:
    """Connect a base map, or change one that was read at revision ``seen``, and return it.

    Raises ``BadInput`` with the first thing that is wrong, ``Conflict`` when somebody else changed it, ``Forbidden``.
    """
    check_city_duty(scope, DUTY)
    row = BaseMap(revision=0) if pk is None else BaseMap.objects.select_for_update().filter(pk=pk).first()
    if row is None or row.revision != seen:
        raise Conflict("base_map_changed", STALE)
    _check(wanted)
    moved = pk is not None and not wanted.secret and wanted.address.strip() != row.address
    if moved and row.secret_name and _host(wanted.address) != _host(row.address):
        raise BadInput("key_of_another", "网址换了主机，原来的密钥不会发给它，请重新填密钥。", field="secret")
    for each in fields(Wanted):
        if each.name not in NOT_KEPT:
            value = getattr(wanted, each.name)
            setattr(row, each.name, value.strip() if isinstance(value, str) else value)
    if wanted.secret or wanted.forget:
        row.secret_name = wanted.secret_name if wanted.secret else ""
    row.revision += 1
    row.changed_by, row.changed_at = scope.actor, timezone.now()
    try:
        with transaction.atomic(), pghistory.context(actor=scope.actor):
            if row.leads:
                _let_others_follow(row)
            row.save()
    except IntegrityError:
        raise Conflict("base_map_named", "名称或代号已经有别的底图在用，请换一个。", field="title") from None
    if wanted.secret:
        keep_secrets(owner=row.uid, values={SECRET: wanted.secret}, found_by={SECRET: ""})
    elif wanted.forget:
        drop_secrets(owner=row.uid)
    return row


def _let_others_follow(row: BaseMap) -> None:
    """Only one base map leads: whichever did is changed by the same hand."""
    others = BaseMap.objects.filter(leads=True).exclude(pk=row.pk)
    others.update(leads=False, revision=F("revision") + 1, changed_by=row.changed_by, changed_at=row.changed_at)


@transaction.atomic
def delete_base_map(*, pk: int, seen: int, scope: Scope) -> None:
    """Delete a base map and its key. Raises ``Conflict`` when it was changed or is gone."""
    check_city_duty(scope, DUTY)
    row = BaseMap.objects.select_for_update().filter(pk=pk, revision=seen).first()
    if row is None:
        raise Conflict("base_map_changed", STALE)
    drop_secrets(owner=row.uid)
    with pghistory.context(actor=scope.actor):
        row.delete()


def try_base_map(*, pk: int, scope: Scope) -> list[Picture]:
    """Ask a base map as people would, and return the pictures of the middle of the city: its ground, and its names.

    Raises ``NotReached`` or ``AnswerUnclear`` with what is wrong.
    """
    row = base_map_set(pk, scope=scope)
    box = CITIES[settings.CITY].bbox
    zoom = max(row.min_zoom, min(row.max_zoom, TRIED_ZOOM))
    tile = tile_at((box.west + box.east) / 2, (box.south + box.north) / 2, zoom)
    pictures = []
    for part in ("ground", "names") if row.names_address else ("ground",):
        imagery = imagery_of(row, "names" if part == "names" else "ground")
        check_offered(imagery)
        pictures.append(fetch_tile(imagery, tile.z, tile.x, tile.y))
    return pictures


def _check(wanted: Wanted) -> None:
    for name, longest in LONGEST.items():
        if len(getattr(wanted, name).strip()) > longest:
            raise BadInput("too_long", f"最多 {longest} 个字。", field=name)
    for field, holds, message in _plain_checks(wanted):
        if not holds:
            raise BadInput("base_map_invalid", message, field=field)
    kind = Kind(wanted.kind)
    _check_address(wanted.address, "address", kind)
    if wanted.names_address.strip():
        _check_address(wanted.names_address, "names_address", kind)
        if _host(wanted.names_address) != _host(wanted.address):
            raise BadInput("names_elsewhere", "注记要和底图在同一台主机上：密钥只发给一家。", field="names_address")
    if kind is Kind.WMTS:
        _check_wmts(wanted)


def _plain_checks(wanted: Wanted) -> list[tuple[str, bool, str]]:
    zooms = 0 <= wanted.min_zoom <= wanted.max_zoom <= MOST_ZOOM
    secret_read = not wanted.secret or bool(KEY_LIKE.fullmatch(wanted.secret))
    secret_named = not wanted.secret or bool(NAME_LIKE.fullmatch(wanted.secret_name))
    return [
        ("title", bool(wanted.title.strip()), "请填名称，例如“卫星影像”。"),
        ("key", bool(SLUG.fullmatch(wanted.key)), "代号用小写字母、数字和短横，例如 tianditu-img。"),
        ("view", wanted.view in View.values, "请选底图类别。"),
        ("kind", wanted.kind in set(Kind), "请选接口种类。"),
        (
            "datum",
            wanted.datum == "cgcs2000",
            "偏移的底图会和我们的图层错开约 500 米，不能接入。请改用天地图或“一张图”。",
        ),
        ("attribution", bool(wanted.attribution.strip()), "请填版权，例如“© 国家地理信息公共服务平台”，地图上要写明。"),
        ("max_zoom", zooms, "级别在 0 到 22 之间，最小的不大于最大的。"),
        ("secret", secret_read, "密钥只有字母、数字、短横和下划线，请重新复制。"),
        ("secret_name", secret_named, "请填密钥的参数名，天地图是 tk。"),
    ]


def _check_wmts(wanted: Wanted) -> None:
    layers = ("layer", "names_layer") if wanted.names_address.strip() else ("layer",)
    for name in (*layers, "style", "matrix_set", "picture"):
        if not WORD.fullmatch(getattr(wanted, name).strip()):
            what = "请填图层名，例如 img 或 cia。" if name in layers else "照对方 WMTS 的说明填，天地图用预填的值。"
            raise BadInput("base_map_invalid", what, field=name)
    if not MATRIX.fullmatch(wanted.matrix.strip()):
        raise BadInput("base_map_invalid", "写成 {z}，或照对方的说明在前面加前缀。", field="matrix")


def _check_address(address: str, field: str, kind: Kind) -> None:
    try:
        checked_address(address, kind=kind, inside_hosts=settings.INSIDE_HOSTS)
    except BadInput as fault:
        raise BadInput(fault.code, fault.message, field=field) from None


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].lower()
