"""Acts on a draft of catchments: its rules, its areas and itself, kept and undone by the frame of ``geo.fences.drafting``."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from geo.errors import Conflict
from geo.fences.drafting import Drafting, Rows, Told, Wanted
from geo.regions.queries import within
from geo.scope import Scope
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionChange, EditionState, MatchRule
from services.catchments.queries import EDIT, edition_seen

RULES: Final = Rows(
    "rule", MatchRule,
    ("line", "mode", "street_id", "committee_id", "community", "written", "target_id", "choice", "note"),
)  # fmt: skip
AREAS: Final = Rows("area", CatchmentArea, ("name", "target_id"), drawn=True)
EDITION_FIELDS: Final = ("steps", "policy", "policy_url", "office", "office_phone")


def locked_draft(edition_id: UUID, *, scope: Scope, duty: str = EDIT) -> CatchmentEdition:
    """Return a draft of the scope's districts, locked. Raises ``Conflict`` for what is published."""
    edition_seen(edition_id, scope=scope, duty=duty)
    edition = CatchmentEdition.objects.select_for_update().filter(within(scope, "district")).get(pk=edition_id)
    if edition.state == EditionState.PUBLISHED:
        raise Conflict("edition_published", "这个版本已经发布，不能再改。请从它新建一份草稿。")
    return edition


DRAFTS: Final = Drafting(EditionChange, lambda pk, scope: locked_draft(pk, scope=scope), (RULES, AREAS), EDITION_FIELDS)
perform, undo = DRAFTS.perform, DRAFTS.undo
rule_told, area_told, edition_told = RULES.told, AREAS.told, DRAFTS.told

__all__ = [
    "AREAS", "DRAFTS", "EDITION_FIELDS", "RULES", "Told", "Wanted", "area_told", "edition_told", "locked_draft", "perform",
    "rule_told", "undo",
]  # fmt: skip
