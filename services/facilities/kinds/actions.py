"""Changes of kinds: added, reworded, ordered, retired, deleted. Declared kinds keep their keys and what they say of places.

Every change locks all kinds, bumps the edition and is followed by every process with its next request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.imports.models import CURRENT, Correction
from geo.scope import Scope
from services.access.queries import check_city_duty, check_duty
from services.facilities.actions import bump_edition, covers, declare_kinds
from services.facilities.kinds.book import attributes_of, is_declared
from services.facilities.kinds.current import current_book, look_again
from services.facilities.kinds.declared import GROUPS, Attribute, Kind
from services.facilities.kinds.drafts import KindDraft, checked_attributes, checked_icon, checked_name, free_key
from services.facilities.kinds.queries import DUTY, check_keeps, district_named, keeping_districts, places_of
from services.facilities.models import Facility, FacilityKind

USERS: Final[list[Callable[[str], Sequence[str]]]] = []
"""Functions of other packages that say, in words, what of theirs stands by a kind: such a kind is not deleted."""


@transaction.atomic
def add_kind(*, group: str, draft: KindDraft, scope: Scope, district: str = "") -> FacilityKind:
    """Add a kind at the end of a group and return it; places may be of it at once.

    Needs ``facilities.kinds``. Who holds it over the city adds for the city, others for the ``district`` (its code) they name.
    Raises ``BadInput``, ``Forbidden``.
    """
    check_duty(scope, DUTY)
    rows = _locked()
    if group not in GROUPS:
        raise BadInput("kind_group_unknown", f"请选一个大类：{'、'.join(GROUPS.values())}。", field="group")
    region = district_named(district, scope=scope) if district or keeping_districts(scope=scope) else None
    check_keeps(region.pk if region else None, scope)
    book = current_book()
    name = checked_name(draft.name, "", book)
    row = FacilityKind(
        key=free_key(name, {*book.words, *rows}),
        group=group,
        name=name,
        icon=checked_icon(draft.icon),
        attributes=_as_data(checked_attributes(draft.attributes, (), book)),
        order=1 + max((one.order for one in rows.values() if one.group == group), default=0),
        region=region,
        revision=0,
    )
    return _saved(row, scope)


@transaction.atomic
def change_kind(*, key: str, draft: KindDraft, revision: int, scope: Scope) -> FacilityKind:
    """Change what a kind is called, its icon and, of an added one, its attributes; return it.

    ``revision`` is the one it was read at. Raises ``Conflict`` when somebody changed it meanwhile, or when places say what the
    new attributes no longer hold; ``BadInput``, ``Forbidden``, ``NotFound``.
    """
    row = _row(key, revision, scope)
    book = current_book()
    row.name, row.icon = checked_name(draft.name, key, book), checked_icon(draft.icon)
    if not is_declared(key):
        before = attributes_of(row.attributes)
        attributes = checked_attributes(draft.attributes, before, book)
        _check_said(key, before, attributes)
        row.attributes = _as_data(attributes)
    return _saved(row, scope)


@transaction.atomic
def order_kind(*, key: str, by: int, seen: str, scope: Scope) -> None:
    """Move a kind up (-1) or down (1) among those of its group, for everybody.

    ``seen`` are the keys of the group in the order that was shown. Needs ``facilities.kinds`` over the city. Raises ``Conflict``
    when the order is another by now.
    """
    check_city_duty(scope, DUTY)
    rows = _locked()
    if key not in rows:
        raise _unknown()
    group = sorted((row for row in rows.values() if row.group == rows[key].group), key=lambda row: (row.order, row.key))
    keys = [row.key for row in group]
    if ",".join(keys) != seen:
        raise Conflict("kinds_reordered", "这一组的顺序刚变过，请看过现在的顺序再移动。")
    at = keys.index(key)
    to = min(max(at + by, 0), len(keys) - 1)
    group.insert(to, group.pop(at))
    for order, row in enumerate(group):
        if row.order != order or not row.changed_by:
            row.order = order
            _saved(row, scope)


@transaction.atomic
def retire_kind(*, key: str, revision: int, scope: Scope) -> FacilityKind:
    """Offer a kind no more: no filter, list or form shows it, its places stay. Raises ``Conflict`` for the last of a group."""
    row = _row(key, revision, scope)
    if row.retired_at is None:
        others = [kind for kind in current_book().offered if kind.group == row.group and kind.key != key]
        if not others:
            raise Conflict("kind_last", f"“{GROUPS[row.group]}”只剩这一个在用的类别，请先新增别的再停用它。")
        row.retired_at = timezone.now()
    return _saved(row, scope)


@transaction.atomic
def restore_kind(*, key: str, revision: int, scope: Scope) -> FacilityKind:
    """Offer a retired kind again."""
    row = _row(key, revision, scope)
    row.retired_at = None
    return _saved(row, scope)


@transaction.atomic
def delete_kind(*, key: str, revision: int, scope: Scope, into: str = "") -> int:
    """Delete an added kind and return how many places were moved to the kind ``into``.

    A kind with places is deleted only together with moving them; each keeps what the other kind knows of, and the change as a
    correction that imports replay. Raises ``BadInput`` for a declared kind, ``Conflict`` while places or forms stand by it,
    ``Forbidden`` when some of its places are not the caller's to edit.
    """
    row = _row(key, revision, scope)
    if is_declared(key):
        raise BadInput("kind_declared", f"“{row.name}”是系统内置的类别，不能删除；不用的话可以停用。")
    uses = [word for user in USERS for word in user(key)]
    if uses:
        raise Conflict("kind_used", f"“{row.name}”还用在：{'、'.join(uses[:5])}。请先改掉，或停用这个类别。")
    if row.retired_at is None and not [k for k in current_book().offered if k.group == row.group and k.key != key]:
        raise Conflict("kind_last", f"“{GROUPS[row.group]}”只剩这一个在用的类别，请先新增别的再删除它。")
    places = places_of(key)
    if places and not into:
        raise Conflict(
            "kind_held", f"还有 {len(places)} 家机构是“{row.name}”，请选好移到哪个类别，再删除。", places=len(places)
        )
    moved = _move(places, row, into, scope) if into else 0
    if into:
        Facility.objects.filter(kind=key).exclude(CURRENT).update(kind=into)
    elif Facility.objects.filter(kind=key).exists():
        raise Conflict("kind_remembered", f"已撤销的机构里还有“{row.name}”，请选一个类别代替它，或停用这个类别。")
    FacilityKind.objects.filter(pk=key).update(changed_by=scope.actor)  # the log names who deleted
    row.delete()
    _changed()
    return moved


def _move(places: Sequence[Facility], row: FacilityKind, into: str, scope: Scope) -> int:
    target = current_book().by_key.get(into)
    if target is None or target.retired or into == row.key:
        raise BadInput("kind_target", "请选一个在用的、别的类别。", field="into")
    check_duty(scope, "facilities.edit")
    outside = sum(not covers(scope, place) for place in places)
    if outside:
        raise Forbidden("facility_outside_scope", f"有 {outside} 家机构不在您的管辖范围内，请由市级管理员来移动。")
    for place in places:
        place.kind_id, place.updated_at = into, timezone.now()
        place.attributes = _kept_said(place.attributes, target)
    Facility.objects.bulk_update(places, ["kind", "attributes", "updated_at"], batch_size=500)
    Correction.objects.bulk_create(
        [
            Correction(
                source_id=place.source_id, ext_id=place.ext_id, field="kind", old_value=row.key, new_value=into,
                reason=f"删除类别“{row.name}”，移到“{target.name}”", actor=scope.actor,
            )
            for place in places
        ],
        batch_size=500,
    )  # fmt: skip
    FacilityKind.objects.filter(pk=into).update(moved_at=timezone.now())
    return len(places)


def _kept_said(said: dict[str, Any], kind: Kind) -> dict[str, Any]:
    return {key: value for key, value in said.items() if (known := kind.attribute(key)) and known.accepts(value)}


def _check_said(key: str, before: Sequence[Attribute], after: Sequence[Attribute]) -> None:
    """Raise ``Conflict`` when places say something that the new attributes have no room for."""
    now = {attribute.key: attribute for attribute in after}
    for attribute in before:
        kept = now.get(attribute.key)
        if kept is not None and (kept.type, kept.choices) == (attribute.type, attribute.choices):
            continue
        values = Facility.objects.filter(CURRENT, kind=key, attributes__has_key=attribute.key)
        lost = [
            value for value in values.values_list(f"attributes__{attribute.key}", flat=True) if not _holds(kept, value)
        ]
        if lost:
            raise Conflict(
                "kind_attribute_said",
                f"有 {len(lost)} 家机构填了“{attribute.label}”，这样改会丢掉它们填的内容。请先改那些机构，或保留这一项。",
                attribute=attribute.key,
            )


def _holds(attribute: Attribute | None, value: Any) -> bool:
    return attribute is not None and attribute.accepts(value)


def _as_data(attributes: tuple[Attribute, ...]) -> list[dict[str, Any]]:
    return Kind("", "", "", "", attributes).attributes_as_data()


def _locked() -> dict[str, FacilityKind]:
    """Return all kinds by key, locked until the change is done; declared ones that are missing are written first."""
    declare_kinds()
    look_again()
    return {row.key: row for row in FacilityKind.objects.select_for_update(of=("self",)).order_by("key")}


def _row(key: str, revision: int, scope: Scope) -> FacilityKind:
    check_duty(scope, DUTY)
    row = _locked().get(key)
    if row is None:
        raise _unknown()
    check_keeps(row.region_id, scope)
    if row.revision != revision:
        raise Conflict(
            "kind_changed",
            f"“{row.name}”刚被 {row.changed_by or '系统'} 改过，请看过最新的内容再改。",
            revision=row.revision,
        )
    return row


def _unknown() -> NotFound:
    return NotFound("kind_unknown", "没有这个类别，它可能刚被删除。请回到类别列表看看。")


def _saved(row: FacilityKind, scope: Scope) -> FacilityKind:
    row.revision, row.changed_by, row.changed_at = row.revision + 1, scope.actor, timezone.now()
    row.save()
    _changed()
    return row


def _changed() -> None:
    look_again()
    bump_edition()


def restore_former(*, pk: str, before: dict[str, Any], scope: Scope) -> FacilityKind:
    """Let a kind be again what it was before a change: words, icon, attributes, or being offered. Raises as the actions do."""
    row = FacilityKind.objects.filter(pk=pk).first()
    if row is None:
        raise _unknown()
    if "retired_at" in before:
        act = restore_kind if before["retired_at"] is None else retire_kind
        row = act(key=pk, revision=row.revision, scope=scope)
    if {"name", "icon", "attributes"} & before.keys():
        row = _put_back(row, before, scope)
    return row


@transaction.atomic
def _put_back(row: FacilityKind, before: dict[str, Any], scope: Scope) -> FacilityKind:
    row = _row(row.key, row.revision, scope)
    row.name = checked_name(before.get("name", row.name), row.key, current_book())
    row.icon = before.get("icon", row.icon)
    if "attributes" in before and not is_declared(row.key):
        now = attributes_of(row.attributes)
        row.attributes = before["attributes"]
        _check_said(row.key, now, attributes_of(row.attributes))
    return _saved(row, scope)
