"""Writes of the island map: how a layer is set, and its place among the others. The places themselves are kept as all others."""

from __future__ import annotations

from typing import Final

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from layers.styles.spec import COLOURED, SHAPES
from services.facilities.kinds.icons import ICONS
from services.modules.islands.models import LayerSetting
from services.modules.islands.queries import Standing, check_keeper, standings
from services.modules.islands.words import BY_KEY

LONGEST_TITLE: Final = 12
STALE: Final = "别人刚改过图层。请看过下面现在的设置，再改一次。"
_LOCK: Final = "island layers"


def set_layer(*, key: str, shown: bool, title: str, icon: str, shape: str, tone: int, seen: int, scope: Scope) -> None:
    """Set a layer, at once; what is set already changes nothing. ``seen`` is the revision the form was made of, 0 as declared.

    Needs ``islands.layers`` over the island. Raises ``BadInput``, ``NotFound``, ``Conflict``, ``Forbidden``.
    """
    check_keeper(scope)
    _check_known(key)
    title = title.strip()
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise BadInput("title_invalid", f"图层名称要有 1 到 {LONGEST_TITLE} 个字。", field="title")
    if icon not in ICONS or shape not in SHAPES or not 1 <= tone <= COLOURED:
        raise BadInput("pin_invalid", "请从列表里选图标、形状和颜色。", field="icon")
    with transaction.atomic():
        now = _locked()
        others = [one for one in now if one.key != key and one.shown]
        if any(one.title == title for one in others):
            raise BadInput("title_taken", f"已有名为“{title}”的图层，请换一个名称。", field="title")
        pin = f"{shape}-{tone}-{icon}"
        if shown and any(one.pin == pin for one in others):
            raise BadInput(
                "pin_taken", "另一个图层已经用了这种标记。请换图标、形状或颜色，游客才分得清。", field="icon"
            )
        if not shown and not others:
            raise BadInput("last_layer", "至少要留一个图层给游客看。", field="shown")
        standing = _of(now, key)
        wanted = {"shown": shown, "title": title, "icon": icon, "shape": shape, "tone": tone}
        if all(getattr(standing, name) == value for name, value in wanted.items()):
            return
        if standing.revision != seen:
            raise Conflict("layer_changed", STALE)
        _write(standing, wanted, scope)


def move_layer(*, key: str, up: bool, seen: str, scope: Scope) -> None:
    """Move a layer one place up or down. ``seen`` is the order the page showed: keys joined by commas.

    Raises ``NotFound``, ``Conflict``, ``Forbidden``.
    """
    check_keeper(scope)
    with transaction.atomic():
        now = _locked()
        _check_known(key)
        keys = [one.key for one in now]
        if ",".join(keys) != seen:
            raise Conflict("order_changed", STALE)
        at = keys.index(key)
        to = max(0, min(len(keys) - 1, at - 1 if up else at + 1))
        keys.insert(to, keys.pop(at))
        for order, one in enumerate(keys):
            standing = _of(now, one)
            if standing.order != order:
                _write(standing, {"order": order}, scope)


def _locked() -> list[Standing]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
    return standings()


def _check_known(key: str) -> None:
    if key not in BY_KEY:
        raise NotFound("layer_unknown", "没有这个图层，请从图层管理里选。")


def _of(now: list[Standing], key: str) -> Standing:
    return next(one for one in now if one.key == key)


def _write(standing: Standing, wanted: dict[str, object], scope: Scope) -> None:
    row = LayerSetting.objects.filter(layer=standing.key).first() or LayerSetting(
        layer=standing.key, shown=standing.shown, order=standing.order, title=standing.title, icon=standing.icon,
        shape=standing.shape, tone=standing.tone, revision=0,
    )  # fmt: skip
    for name, value in wanted.items():
        setattr(row, name, value)
    row.revision += 1
    row.changed_by, row.changed_at = scope.actor, timezone.now()
    with pghistory.context(actor=scope.actor):
        row.save()
