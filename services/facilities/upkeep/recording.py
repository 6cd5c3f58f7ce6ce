"""How one act on places is put on record: who may, once, against which version, with what each place said before and after.

Nothing else writes ``FacilityChange``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import pghistory
from django.db import connection
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.imports.actions import correct_row, stand_beside_publishing
from geo.imports.models import CURRENT, Correction
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.actions import bump_edition, covers
from services.facilities.models import Facility
from services.facilities.roadside import NAMING, tell_roads
from services.facilities.upkeep.models import Act, FacilityChange
from services.facilities.upkeep.snapshots import Said, differences, said

EDIT: Final = "facilities.edit"
REPORT: Final = "facilities.report"
LONGEST_REASON: Final = 300
_FORM: Final = "%Y%m%d%H%M%S%f"


def once(key: UUID) -> FacilityChange | None:
    """Return what an act of this key did already; until the transaction ends nobody else does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(key)])
    return FacilityChange.objects.filter(key=key).first()


def reason_of(text: str) -> str:
    """Return why somebody does something. Raises ``BadInput`` where nothing is said."""
    why = " ".join(text.split())
    if not why:
        raise BadInput("reason_missing", "请写一句为什么这样改，以后查记录时看得懂。", field="reason")
    return why[:LONGEST_REASON]


def lock_places(ids: Collection[int], scope: Scope, *, duty: str = EDIT, retired: bool = False) -> list[Facility]:
    """Lock places against others who would change them, in the order of their ids, and return them; no publishing begins.

    ``retired`` ones count as there only when asked for. Raises ``NotFound``, ``Forbidden``, and ``Conflict`` while something is
    being published.
    """
    check_duty(scope, duty)
    stand_beside_publishing()
    rows = Facility.objects.select_for_update(of=("self",)).select_related("source")
    found = list((rows if retired else rows.filter(CURRENT)).filter(pk__in=ids).order_by("pk"))
    if set(ids) - {facility.pk for facility in found}:
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经下线或并入另一家。可以在台账里再找一次。")
    if not all(covers(scope, facility) for facility in found):
        raise Forbidden("facility_outside_scope", "这家机构不在您的管辖范围内。需要的话可向上级管理员申请。")
    return found


def version_of(facility: Facility) -> str:
    """Return the version of a place: a text that everything that changes it makes another."""
    return facility.updated_at.astimezone(dt.UTC).strftime(_FORM)


def check_version(facility: Facility, version: str) -> None:
    """Raise ``Conflict``, saying what others changed, when a place is no longer what the caller has seen.

    Figures that were only reported meanwhile are no conflict.
    """
    if version == version_of(facility):
        return
    try:
        seen = dt.datetime.strptime(version, _FORM).replace(tzinfo=dt.UTC)
    except ValueError:
        raise BadInput("version_invalid", "这一页已经过期，请重新打开这家机构再改。") from None
    event = Facility.pgh_event_model.objects.filter(pgh_obj_id=facility.pk, updated_at=seen).order_by("pgh_id").first()  # type: ignore[attr-defined]  # fmt: skip
    found = differences(said(event), said(facility)) if event is not None else []
    what = [each for each in found if each.field not in {"places", "vacancies"}]
    if event is not None and not what:
        return
    last = FacilityChange.objects.filter(facilities__contains=[facility.pk], at__gt=seen).first()
    who = f"{last.actor} {timezone.localtime(last.at):%-m月%-d日 %H:%M} " if last else ""
    words = "；".join(f"{each.name}由“{each.before}”改为“{each.after}”" for each in what) or "内容有变化"
    raise Conflict(
        "facility_changed",
        f"您打开之后，{who}改过这家机构：{words}。您填的都还在，请核对后再保存。",
        fields=[each.field for each in what],
    )


class Record:
    """One act on its way: what the places said before, and the corrections that come of it."""

    def __init__(self, act: Act, *, key: UUID, reason: str, scope: Scope, undoes: FacilityChange | None = None) -> None:
        """Begin an act; publishing is held off until its transaction ends."""
        stand_beside_publishing()
        self._act, self._key, self._reason, self._scope, self._undoes = act, key, reason, scope, undoes
        self._rows: dict[int, Facility] = {}
        self._before: dict[int, Said | None] = {}
        last = Correction.objects.order_by("-pk").values_list("pk", flat=True).first()
        self._after_correction = last or 0
        self.followed: dict[str, Any] = {}

    def will_touch(self, *facilities: Facility) -> None:
        """Note what places say before the act."""
        for facility in facilities:
            self._rows[facility.pk], self._before[facility.pk] = facility, said(facility)

    def has_made(self, facility: Facility) -> None:
        """Note a place that the act brought."""
        self._rows[facility.pk], self._before[facility.pk] = facility, None

    def correct(self, facility: Facility, field: str, old: Any, new: Any) -> None:
        """Write one correction of a place's row."""
        correct_row(
            source=facility.source,
            ext_id=facility.ext_id,
            field=field,
            old_value=old,
            new_value=new,
            reason=self._reason,
            actor=self._scope.actor,
        )

    def save(self, *facilities: Facility) -> None:
        """Save places under the name of who acts."""
        with pghistory.context(actor=self._scope.actor):
            for facility in facilities:
                facility.save()

    def close(self) -> FacilityChange:
        """Write the change with what the places say now, and let answers kept from before be forgotten."""
        for facility in self._rows.values():
            facility.refresh_from_db()
        after = {str(pk): {**said(row), "version": version_of(row)} for pk, row in self._rows.items()}
        for source_id in {row.source_id for row in self._rows.values() if row.kind_id in NAMING}:
            tell_roads(source_id=source_id)
        bump_edition()
        return FacilityChange.objects.create(
            key=self._key,
            act=self._act,
            actor=self._scope.actor,
            reason=self._reason[:LONGEST_REASON],
            facilities=sorted(self._rows),
            before={str(pk): state for pk, state in self._before.items()},
            after=after,
            corrections=self._written(),
            followed=self.followed,
            undoes=self._undoes,
        )

    def _written(self) -> list[int]:
        """Return the corrections of this act: the rows are locked, nobody else wrote any of theirs."""
        own: Mapping[int, set[str]] = {}
        for row in self._rows.values():
            own = {**own, row.source_id: {*own.get(row.source_id, set()), row.ext_id}}
        return [
            pk
            for source_id, ext_ids in own.items()
            for pk in Correction.objects.filter(
                source=source_id, ext_id__in=ext_ids, pk__gt=self._after_correction
            ).values_list("pk", flat=True)
        ]


def check_report_duty(scope: Scope, facility: Facility) -> None:
    """Raise ``Forbidden`` unless a scope keeps the place, or runs it."""
    runs = scope.holds(REPORT) and facility.organisation_id in scope.organisations
    if not (scope.holds(EDIT) and covers(scope, facility)) and not runs:
        raise Forbidden("facility_outside_scope", "这家机构不归您维护。需要的话可向上级管理员申请。")
