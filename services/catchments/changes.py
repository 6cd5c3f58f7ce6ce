"""The frame of every act on a draft: who saw what, done once, kept with what it changed, and taken back where that still fits.

What an act changes is told under keys: ``rule:<same>``, ``area:<same>`` and ``edition``, each with what it said before and after,
``None`` where it was not there. Writing goes through ``put``, so undoing writes exactly what an act may write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import transaction
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.errors import Conflict
from geo.regions.queries import within
from geo.scope import Scope
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionChange, EditionState, MatchRule
from services.catchments.queries import EDIT, edition_seen

Told = dict[str, Any]
RULE_FIELDS: Final = (
    "line", "mode", "street_id", "committee_id", "community", "written", "target_id", "choice", "note",
)  # fmt: skip
AREA_FIELDS: Final = ("name", "target_id")
EDITION_FIELDS: Final = ("steps", "policy", "policy_url", "office", "office_phone")
_ASKED_ONE_BY_ONE: Final = 400
"""An act on more rows than this asks that nobody else saved anything since it was seen."""
_AT_ONCE: Final = 2_000


def rule_told(rule: MatchRule) -> Told:
    """Return what a rule says."""
    return {name: getattr(rule, name) for name in RULE_FIELDS}


def area_told(area: CatchmentArea) -> Told:
    """Return what an area says, its shape as hexadecimal WKB in CGCS2000."""
    return {name: getattr(area, name) for name in AREA_FIELDS} | {"geom": area.geom.hex.decode()}


def edition_told(edition: CatchmentEdition) -> Told:
    """Return what an edition says of itself."""
    return {name: getattr(edition, name) for name in EDITION_FIELDS}


def locked_draft(edition_id: UUID, *, scope: Scope, duty: str = EDIT) -> CatchmentEdition:
    """Return a draft of the scope's districts, locked. Raises ``Conflict`` for what is published."""
    edition_seen(edition_id, scope=scope, duty=duty)
    edition = CatchmentEdition.objects.select_for_update().filter(within(scope, "district")).get(pk=edition_id)
    if edition.state == EditionState.PUBLISHED:
        raise Conflict("edition_published", "这个版本已经发布，不能再改。请从它新建一份草稿。")
    return edition


@transaction.atomic
def perform(
    edition_id: UUID,
    *,
    seen: int,
    key: UUID,
    act: str,
    scope: Scope,
    work: Callable[[CatchmentEdition], tuple[str, Mapping[str, Told | None]]],
    undoes: EditionChange | None = None,
) -> EditionChange | None:
    """Do one act on a draft and keep it; ``None`` when it changes nothing.

    ``work`` gets the locked draft and returns a sentence of what is done and what each touched key shall say. An act whose
    ``key`` was sent before is returned as it was done. Raises ``Conflict`` when somebody touched one of the keys since ``seen``.
    """
    edition = locked_draft(edition_id, scope=scope)
    done = EditionChange.objects.filter(key=key, edition=edition).first()
    if done is not None:
        return done
    said, wanted = work(edition)
    before = _said_now(edition, wanted)
    wanted = {name: told for name, told in wanted.items() if before[name] != told}
    if not wanted:
        return None
    check_unchanged(edition, seen=seen, keys=[name for name in wanted if before[name] is not None])
    put(edition, wanted)
    edition.revision += 1
    edition.state, edition.changed_by = EditionState.DRAFT, scope.actor
    edition.checked_by = edition.approved_by = ""
    edition.save()
    return EditionChange.objects.create(
        key=key, edition=edition, revision=edition.revision, act=act, said=said[:200], undoes=undoes,
        before={name: before[name] for name in wanted}, after=dict(wanted), made_by=scope.actor,
    )  # fmt: skip


def check_unchanged(edition: CatchmentEdition, *, seen: int, keys: Iterable[str]) -> None:
    """Raise ``Conflict`` that names what somebody did to one of the keys since the revision that was ``seen``."""
    if edition.revision == seen:
        return
    since, asked = edition.changes.filter(revision__gt=seen), list(keys)
    if len(asked) <= _ASKED_ONE_BY_ONE:
        since = since.filter(Q(after__has_any_keys=asked))
    other = since.defer("before", "after").order_by("-revision").first()
    if other is not None or seen > edition.revision:
        said = f"{other.made_by} 刚才{other.said}" if other else "页面不是最新的"
        raise Conflict(
            "edition_changed",
            f"您编辑期间，{said}。请核对下面的最新内容，再决定要不要保存您的。",
            newest=edition.revision,
        )


def put(edition: CatchmentEdition, wanted: Mapping[str, Told | None]) -> None:
    """Let rules, areas and the edition say what is wanted; ``None`` takes a row away."""
    own = wanted.get("edition")
    if own is not None:
        for name in EDITION_FIELDS:
            setattr(edition, name, own[name])
    _put_rules(edition, {UUID(key[5:]): told for key, told in wanted.items() if key.startswith("rule:")})
    _put_areas(edition, {UUID(key[5:]): told for key, told in wanted.items() if key.startswith("area:")})


def undo(*, change_id: int, edition_id: UUID, key: UUID, scope: Scope) -> EditionChange | None:
    """Take an act back as an act of its own; undoing that one does it again.

    Raises ``Conflict`` where it was undone already, or what it changed was changed again since.
    """

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        change = edition.changes.filter(pk=change_id).first()
        if change is None:
            raise Conflict("change_unknown", "没有找到这次改动，请刷新“改动记录”。")
        if EditionChange.objects.filter(undoes=change).exists():
            raise Conflict("change_undone", "这次改动已经撤销过了。")
        now = _said_now(edition, change.after)
        if any(now[name] != told for name, told in change.after.items()):
            raise Conflict("change_moved", "这次改动涉及的内容后来又改过，不能单独撤销。请先撤销后来的，或直接改规则。")
        return _undoing(change.said), change.before

    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    undone = edition.changes.filter(pk=change_id).first()
    return perform(
        edition_id, seen=edition.revision, key=key, act="undo", scope=scope, work=work, undoes=undone
    )  # fmt: skip


def _undoing(said: str) -> str:
    """Return the sentence for taking an act back: undoing an undoing is doing again."""
    for word, other in (("撤销“", "重做“"), ("重做“", "撤销“")):
        if said.startswith(word):
            return other + said.removeprefix(word)
    return f"撤销“{said}”"


def _said_now(edition: CatchmentEdition, keys: Iterable[str]) -> dict[str, Told | None]:
    asked = list(keys)
    found: dict[str, Told | None] = dict.fromkeys(asked)
    if "edition" in found:
        found["edition"] = edition_told(edition)
    rules = [UUID(key[5:]) for key in asked if key.startswith("rule:")]
    for rule in edition.rules.filter(same__in=rules) if rules else ():
        found[f"rule:{rule.same}"] = rule_told(rule)
    areas = [UUID(key[5:]) for key in asked if key.startswith("area:")]
    for area in edition.areas.filter(same__in=areas) if areas else ():
        found[f"area:{area.same}"] = area_told(area)
    return found


def _put_rules(edition: CatchmentEdition, wanted: Mapping[UUID, Told | None]) -> None:
    if not wanted:
        return
    there = {rule.same: rule for rule in edition.rules.filter(same__in=list(wanted))}
    gone = [same for same, told in wanted.items() if told is None]
    if gone:
        edition.rules.filter(same__in=gone).delete()
    changed: list[MatchRule] = []
    added: list[MatchRule] = []
    for same, told in wanted.items():
        if told is None:
            continue
        rule = there.get(same)
        (changed if rule else added).append(_said_by(rule or MatchRule(edition=edition, same=same), told))
    MatchRule.objects.bulk_update(changed, RULE_FIELDS, batch_size=_AT_ONCE)
    MatchRule.objects.bulk_create(added, batch_size=_AT_ONCE)


def _put_areas(edition: CatchmentEdition, wanted: Mapping[UUID, Told | None]) -> None:
    there = {area.same: area for area in edition.areas.filter(same__in=list(wanted))} if wanted else {}
    for same, told in wanted.items():
        area = there.get(same)
        if told is None:
            if area is not None:
                area.delete()
            continue
        area = area or CatchmentArea(edition=edition, same=same, revision=0)
        area.name, area.target_id = told["name"], told["target_id"]
        area.geom = cast(MultiPolygon, GEOSGeometry(told["geom"], srid=CGCS2000))
        area.revision += 1
        area.save()


def _said_by(rule: MatchRule, told: Told) -> MatchRule:
    for name in RULE_FIELDS:
        setattr(rule, name, told[name])
    return rule
