"""Reads of fences: editions that the scope looks after, the ones that count at a moment, their tables with what is wrong."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from geo.addresses.gazetteer import published_now
from geo.addresses.land import kept, land_of
from geo.errors import Conflict, Forbidden, NotFound
from geo.fences.areas import ACTS, drawn_of
from geo.fences.drafting import Drafting, Rows
from geo.fences.drafts import EditionState
from geo.fences.models import Fence, FenceChange, FenceEdition
from geo.fences.publishing import PUBLISHED_SAID
from geo.fences.purposes import Purpose, purpose_of
from geo.fences.topology import Flaw, Ground, Table
from geo.regions.models import RegionVersion
from geo.regions.queries import published_name, versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.fencing.isochrones import outdated
from services.fencing.workflows import APPROVAL
from services.kernel.workflow.models import Case
from services.kernel.workflow.transitions import RUNNING

VIEW: Final = "fences.view"
EDIT: Final = "fences.edit"
APPROVE: Final = "fences.approve"
FENCE_ROWS: Final = Rows(
    "area", Fence, ("name", "kind", "definition", "owner", "from_day", "to_day", "hours"), drawn=True
)  # fmt: skip
_KEPT: Final = 12
_tables: dict[tuple[str, int, str], Table] = {}


def districts_seen(*, scope: Scope, duty: str = VIEW) -> list[RegionVersion]:
    """Return the districts whose fences the scope looks after, by code."""
    check_duty(scope, duty)
    return list(versions_of(scope=scope).filter(within(scope), level="district"))


def district_seen(code: str, *, scope: Scope, duty: str = VIEW) -> RegionVersion:
    """Return a district by code, the first of the scope for ''. Raises ``Forbidden`` for any other."""
    for version in districts_seen(scope=scope, duty=duty):
        if code in ("", version.code):
            return version
    raise Forbidden("district_outside_scope", "围栏按区管理，这个区不在您的管辖范围内。")


def editions_seen(*, scope: Scope) -> QuerySet[FenceEdition]:
    """Return the editions of the scope's districts with ``district_name``, ``fence_count`` and ``waiting``, the newest first."""
    check_duty(scope, VIEW)
    rows = FenceEdition.objects.filter(within(scope, "district")).annotate(
        district_name=published_name("district_id"), fence_count=Count("areas"), waiting=_waiting()
    )
    return rows.order_by("purpose", "district_name", "-number")


def _waiting() -> Exists:
    """Return the condition that an edition waits to be approved: a case runs about it."""
    return Exists(Case.objects.filter(matter=APPROVAL, subject=OuterRef("pk"), state__in=RUNNING))


def edition_seen(edition_id: UUID, *, scope: Scope, duty: str = VIEW) -> FenceEdition:
    """Return an edition of the scope's districts with ``district_name`` and ``waiting``. Raises ``NotFound`` for any other."""
    check_duty(scope, duty)
    rows = FenceEdition.objects.filter(within(scope, "district"), pk=edition_id)
    found = rows.annotate(district_name=published_name("district_id"), waiting=_waiting()).first()
    if found is None:
        raise NotFound("fences_unknown", "没有找到这套围栏，或者它不属于您的管辖范围。")
    return found


def locked_edition(edition_id: UUID, *, scope: Scope, duty: str = VIEW) -> FenceEdition:
    """Return an edition of the scope's districts, locked."""
    edition_seen(edition_id, scope=scope, duty=duty)
    return FenceEdition.objects.select_for_update().filter(within(scope, "district")).get(pk=edition_id)


def locked_draft(edition_id: UUID, scope: Scope) -> FenceEdition:
    """Return a draft that the scope may change, locked. Raises ``Conflict`` for what is published."""
    edition = locked_edition(edition_id, scope=scope, duty=EDIT)
    if edition.state == EditionState.PUBLISHED:
        raise Conflict("edition_published", PUBLISHED_SAID)
    return edition


DRAFTS: Final = Drafting(FenceChange, locked_draft, (FENCE_ROWS,), ("note",))


def purpose_for(edition: FenceEdition) -> Purpose:
    """Return what an edition's fences are for."""
    found = purpose_of(edition.purpose)
    assert found is not None
    return found


def edition_at(*, purpose: str, district_id: int, at: dt.datetime | None = None) -> FenceEdition | None:
    """Return the edition that counts at a moment (now): of the published ones that have begun, the one that began last."""
    rows = FenceEdition.objects.filter(
        purpose=purpose, district=district_id, state=EditionState.PUBLISHED, from_moment__lte=at or timezone.now()
    )
    return rows.annotate(district_name=published_name("district_id")).order_by("-from_moment", "-number").first()


def editions_at(*, at: dt.datetime | None = None, purpose: str = "") -> QuerySet[FenceEdition]:
    """Return the editions that count at a moment (now), one for each purpose and district."""
    rows = FenceEdition.objects.filter(state=EditionState.PUBLISHED, from_moment__lte=at or timezone.now())
    rows = rows.filter(purpose=purpose) if purpose else rows
    return rows.order_by("purpose", "district", "-from_moment", "-number").distinct("purpose", "district")


def versions_beside(edition: FenceEdition) -> QuerySet[FenceEdition]:
    """Return every version of the same purpose and district, the first one first."""
    return FenceEdition.objects.filter(purpose=edition.purpose, district=edition.district_id).order_by("number")


def before_of(edition: FenceEdition) -> FenceEdition | None:
    """Return the edition that a draft is held against: the one that counts now, else what it was begun from."""
    found = edition_at(purpose=edition.purpose, district_id=edition.district_id)
    return found if found is not None and found.pk != edition.pk else edition.begun_from


def fences_of(edition: FenceEdition) -> list[Fence]:
    """Return the fences of an edition, by name."""
    return list(edition.areas.order_by("name", "id"))


def table_of(edition: FenceEdition) -> Table:
    """Return the fences of an edition on the table, against its district; made once for each revision and state of the data."""

    def read() -> Table:
        return Table(drawn_of(fences_of(edition)), ground_of(edition))

    key = (str(edition.pk), edition.revision, published_now().key)
    return kept(_tables, key, read, _KEPT)


def ground_of(edition: FenceEdition) -> Ground:
    """Return what the fences of an edition are held against: boundary, doors and communities of its district, in metres."""
    land, purpose = land_of(edition.district_id), purpose_for(edition)
    return Ground(
        land.district, land.metres, land.labels, land.communities,
        noun="围栏", exclusive=purpose.exclusive, covering=purpose.covering,
    )  # fmt: skip


def flaws_in(edition: FenceEdition) -> list[Flaw]:
    """Return what is wrong with the fences of an edition, errors first; the last are isochrones made of other roads."""
    fences = fences_of(edition)
    return [*table_of(edition).flaws(), *outdated(fences)] if fences else []


def undo_and_redo(edition: FenceEdition, *, actor: str) -> tuple[FenceChange | None, FenceChange | None]:
    """Return the act that 撤销 takes back for somebody, and the undoing that 重做 takes back."""
    return DRAFTS.undo_and_redo(edition, actor=actor, acts=ACTS)


def changes_of(edition: FenceEdition) -> QuerySet[FenceChange]:
    """Return who did what to an edition, the latest first, without what it said."""
    return edition.changes.select_related("undoes").defer("before", "after").order_by("-revision")
