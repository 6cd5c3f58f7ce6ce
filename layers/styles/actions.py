"""Writes of styles: a new version holds at once; an earlier one, or the usual one, is taken again as a new version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from layers.spec import LayerSpec
from layers.styles.models import StyleVersion
from layers.styles.queries import DUTY, may_style
from layers.styles.spec import StyleFaulty, read_style

LONGEST_NOTE: Final = 200


@transaction.atomic
def save_style(
    *,
    layer: LayerSpec,
    data: Mapping[str, Any],
    seen: int,
    key: UUID,
    scope: Scope,
    note: str = "",
    icons: Collection[str] | None = None,
) -> StyleVersion:
    """Keep a style of a layer and return its version; everybody sees it with their next map. Empty data is the usual style.

    ``seen`` is the number of the version the form was made of, 0 for none. Needs ``layers.edit`` over the layer's home. Raises
    ``BadInput`` with every fault, ``Conflict`` when somebody else was quicker or nothing changes, ``Forbidden``.
    """
    if not may_style(layer, scope):
        raise Forbidden("style_not_yours", "这个图层的样式由它所属的区或市级管理员设置。", duty=DUTY)
    if data:
        try:
            data = read_style(data, layer, icons=icons).data()
        except StyleFaulty as faulty:
            faults = [{"part": one.part, "said": one.said} for one in faulty.faults]
            raise BadInput("style_faulty", str(faulty), faults=faults) from None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"style {layer.key}"])
    done = StyleVersion.objects.filter(key=key).first()
    if done is not None:
        return done
    newest = StyleVersion.objects.filter(layer=layer.key).first()
    number = newest.number if newest else 0
    if number != seen:
        by = f"{newest.made_by} 刚保存了第 {number} 版" if newest else "样式刚变过"
        raise Conflict("style_changed", f"{by}，请看过最新的样式再改。", number=number)
    if (newest.data if newest else {}) == data:
        raise Conflict("style_same", "没有改动：和现在的样式一样。")
    return StyleVersion.objects.create(
        key=key, layer=layer.key, number=number + 1, data=dict(data), note=note.strip()[:LONGEST_NOTE],
        made_by=scope.actor,
    )  # fmt: skip


def restore_style(*, layer: LayerSpec, number: int, seen: int, key: UUID, scope: Scope) -> StyleVersion:
    """Let an earlier version hold again, 0 the usual style, as a new version. Raises as ``save_style``, and ``NotFound``."""
    data: Mapping[str, Any] = {}
    if number:
        version = StyleVersion.objects.filter(layer=layer.key, number=number).first()
        if version is None:
            raise NotFound("style_unknown", "没有这一版样式，请刷新页面。")
        data = version.data
    note = f"恢复第 {number} 版" if number else "恢复默认样式"
    return save_style(layer=layer, data=data, seen=seen, key=key, scope=scope, note=note)
