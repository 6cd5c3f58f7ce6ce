"""What the pages of one edition share: its frame, what stands next, its versions, what it changes, its rules as rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from geo.scope import Scope
from services.catchments.changes import rule_told
from services.catchments.editing import BY_DOOR, RuleSaid, may_edit, said_briefly, said_by
from services.catchments.entries import CHOICES, MODES, RULED, entry_point
from services.catchments.ground import Ground
from services.catchments.models import CatchmentEdition, EditionState, MatchRule
from services.catchments.queries import APPROVE, edition_in_force, undoable, versions_beside
from services.crypto.identifiers import new_id

TAGS = {"draft": "", "checked": "warn", "approved": "good", "published": "kind"}
MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Version:
    """One version on the line of versions: its word, its day, and whether it is the one on the page."""

    edition: CatchmentEdition
    word: str
    when: str
    here: bool
    draft: bool


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule as its row shows it: who, where to, in words."""

    rule: MatchRule
    mode: str
    who: str
    target: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What an edition changes against another: how many rules, and some of them in words."""

    other: CatchmentEdition
    added: list[str]
    removed: list[str]
    changed: list[str]

    @property
    def total(self) -> int:
        """Return how many rules differ."""
        return len(self.added) + len(self.removed) + len(self.changed)


def frame_of(edition: CatchmentEdition, *, scope: Scope, tab: str) -> dict[str, Any]:
    """Return what every page of an edition shows."""
    entry = entry_point(edition.entry)
    today = timezone.localdate()
    edits = may_edit(edition, scope=scope)
    begun = edition.from_day is not None and edition.from_day <= today
    force = edition_in_force(year=edition.year, district_id=edition.district_id, entry=edition.entry)
    return {
        "edition": edition, "entry": entry, "tab": tab, "seen": edition.revision, "key": new_id(), "may_edit": edits,
        "may_approve": scope.holds(APPROVE), "rule_count": edition.rules.count(), "area_count": edition.areas.count(),
        "in_force": force == edition, "scheduled": edition.state == EditionState.PUBLISHED and not begun, "today": today,
        "state_tag": TAGS[edition.state], "last": undoable(edition) if edits else None, "force": force,
    }  # fmt: skip


def versions_of(edition: CatchmentEdition, force: CatchmentEdition | None) -> list[Version]:
    """Return the versions of the same year, district and entry, the first one first."""
    today = timezone.localdate()
    found = []
    for row in versions_beside(edition):
        draft = row.state != EditionState.PUBLISHED
        later = not draft and row.from_day is not None and row.from_day > today
        word = row.get_state_display() if draft else "现行" if row == force else "待生效" if later else "以前的"
        when = (
            f"{row.from_day:%Y-%m-%d} 起" if row.from_day else f"{timezone.localtime(row.changed_at):%m-%d %H:%M} 改过"
        )
        found.append(Version(row, word, when, row.pk == edition.pk, draft))
    return found


def modes_counted(edition: CatchmentEdition) -> list[tuple[str, str, int]]:
    """Return the modes whose rules are rows and that the entry allows or the edition holds: key, words, how many."""
    counted = Counter(edition.rules.values_list("mode", flat=True))
    entry = entry_point(edition.entry)
    return [(mode, MODES[mode], counted[mode]) for mode in RULED if counted[mode] or (entry and mode in entry.modes)]


def rule_shown(rule: MatchRule, ground: Ground) -> RuleShown:
    """Return a rule in words."""
    places = (ground.streets.get(rule.street_id or 0, ""), ground.committee_name(rule.committee_id), rule.community)
    who = rule.written if rule.mode in BY_DOOR else " ".join(word for word in places if word) or "全区"
    target = CHOICES[rule.choice] if rule.choice else ground.site_name(rule.target_id)  # type: ignore[index]
    return RuleShown(rule, MODES[rule.mode], who, target)  # type: ignore[index]


def compared(edition: CatchmentEdition, other: CatchmentEdition, ground: Ground) -> Compared:
    """Return what the rules of an edition change against another one's."""
    after, before = _said(edition), _said(other)
    return Compared(
        other,
        [said_briefly(said, ground) for same, said in after.items() if same not in before],
        [said_briefly(said, ground) for same, said in before.items() if same not in after],
        [said_briefly(said, ground) for same, said in after.items() if same in before and before[same] != said],
    )


def _said(edition: CatchmentEdition) -> dict[UUID, RuleSaid]:
    return {rule.same: said_by(rule_told(rule)) for rule in edition.rules.all()}
