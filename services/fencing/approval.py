"""A draft of fences handed in as a case (``workflows``): opened from its page, ended by the approver, called off when it changes.

The case is bound to the revision that was handed in. What its end means for the draft happens in the same transaction, so a draft
that changed at that moment is not approved: who decides is told, and the case goes back to where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver

from geo.errors import Conflict
from geo.fences.drafts import EditionState
from geo.fences.models import Fence, FenceEdition
from geo.fences.signals import draft_changed
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.models import User
from services.fencing.actions import PUBLISHING, findings_of
from services.fencing.queries import (
    APPROVE,
    EDIT,
    VIEW,
    before_of,
    fences_of,
    locked_edition,
    purpose_for,
)
from services.fencing.workflows import APPROVAL, SOURCE
from services.kernel.workflow.actions import open_case
from services.kernel.workflow.models import Case
from services.kernel.workflow.setting_aside import call_off
from services.kernel.workflow.signals import case_ended
from services.kernel.workflow.transitions import RUNNING, State

_NAMED: Final = 5
_LONGEST: Final = 400


@transaction.atomic
def submit_draft(*, edition_id: UUID, seen: int, accept: bool, user: User, scope: Scope, key: UUID) -> Case:
    """Hand a checked draft in to be approved, and return its case; ``accept`` says that warnings were seen and are meant.

    The same ``key`` again returns the case it opened. Raises ``Conflict`` for a draft that changed, is not checked, or is handed
    in already; ``BadInput`` for errors and unread warnings.
    """
    edition = locked_edition(edition_id, scope=scope, duty=EDIT)
    if done := Case.objects.filter(events__key=str(key), subject=edition_id).first():
        return done
    running = case_of(edition)
    if running is not None and running.state in RUNNING:
        if running.facts.get("revision") == edition.revision:
            raise Conflict("edition_submitted", f"已经送审（{running.number}），正在等批准。")
        call_off(matter=APPROVAL, subject=edition.pk, why="草稿改过，重新送审。", scope=scope)
    PUBLISHING.submit(edition_id=edition_id, seen=seen, accept=accept, scope=scope)
    edition.refresh_from_db()
    purpose, place = purpose_for(edition).name, _district(edition)
    return open_case(
        matter=APPROVAL, region=place.code, title=f"{place.name}{purpose}第 {edition.number} 版",
        facts=_facts(edition, purpose), user=user, scope=scope, key=str(key), source=SOURCE, applicant=user,
        subject=edition.pk,
    )  # fmt: skip


@transaction.atomic
def recall_draft(*, edition_id: UUID, scope: Scope) -> Case:
    """Take a draft back that waits to be approved. Raises ``Conflict`` where it waits no more, or is being decided."""
    edition = locked_edition(edition_id, scope=scope, duty=EDIT)
    case = call_off(matter=APPROVAL, subject=edition.pk, why="送审人撤回。", scope=scope)
    if case is None:
        raise Conflict("edition_not_waiting", "这份草稿现在没有在等批准，或者正在被批准。请刷新页面看最新情况。")
    PUBLISHING.note(edition, "recall", "撤回送审", scope)
    return case


def case_of(edition: FenceEdition) -> Case | None:
    """Return the last case about an edition."""
    return Case.objects.filter(matter=APPROVAL, subject=edition.pk).order_by("-opened_at", "-id").first()


@receiver(draft_changed, sender=FenceEdition, dispatch_uid="fencing.called_off")
def call_off_changed(edition: FenceEdition, said: str, scope: Scope, **_: Any) -> None:
    """Call the case of a draft off that was changed: nothing is approved that was not seen."""
    call_off(matter=APPROVAL, subject=edition.pk, why=f"送审以后草稿又改过：{said}。检查以后请再送审。", scope=scope)


@receiver(case_ended, dispatch_uid="fencing.decided")
def take_decision(case: Case, scope: Scope, **_: Any) -> None:
    """Approve the draft of a case that ended well, or give it back. Raises what ``Publishing.approve`` raises."""
    if case.matter != APPROVAL or case.subject is None:
        return
    edition = FenceEdition.objects.get(pk=case.subject)
    # who decides the case may decide on its draft, also in the place of somebody else
    theirs = Scope(paths=(_district(edition).path,), duties=frozenset({VIEW, APPROVE}), actor=scope.actor)
    if case.state == State.APPROVED:
        _refuse_in_own_place(case, edition)
        PUBLISHING.approve(edition_id=edition.pk, seen=int(case.facts["revision"]), accept=True, scope=theirs)
    elif case.state in (State.REFUSED, State.TERMINATED) and edition.state != EditionState.PUBLISHED:
        PUBLISHING.send_back(edition_id=edition.pk, why=_why(case), scope=theirs)


def _refuse_in_own_place(case: Case, edition: FenceEdition) -> None:
    last = _last_decided(case)
    if last is not None and last.behalf_of is not None and last.behalf_of.username == edition.changed_by:
        raise Conflict("same_person", "您代办的同事就是最后修改这份草稿的人，请另一位有批准权限的同事来批准。")


def _last_decided(case: Case) -> Any:
    return case.tasks.filter(decided_at__isnull=False).select_related("behalf_of").order_by("-decided_at").first()


def _why(case: Case) -> str:
    last = case.events.exclude(opinion="").order_by("-id").first()
    return last.opinion if last else ""


def _district(edition: FenceEdition) -> RegionVersion:
    return RegionVersion.objects.get(region=edition.district_id, edition__state="published")


def _facts(edition: FenceEdition, purpose: str) -> Mapping[str, Any]:
    warnings = [each.message for each in findings_of(edition) if each.level == "warning"]
    return {
        "purpose": purpose, "edition": f"第 {edition.number} 版", "fences": edition.areas.count(),
        "changes": changes_said(edition), "warnings": "；".join(warnings)[:_LONGEST], "note": edition.note,
        "revision": edition.revision,
    }  # fmt: skip


def changes_said(edition: FenceEdition) -> str:
    """Return in words what an edition changes of the one it is held against: 新增 1 个（甲）；改了 2 个（乙、丙）."""
    before = before_of(edition)
    was, now = _by_same(before) if before else {}, _by_same(edition)
    groups = {
        "新增": [fence.name for same, fence in now.items() if same not in was],
        "改了": [fence.name for same, fence in now.items() if same in was and _said(fence) != _said(was[same])],
        "删除": [fence.name for same, fence in was.items() if same not in now],
    }
    told = [f"{word} {len(names)} 个（{_few(names)}）" for word, names in groups.items() if names]
    return "；".join(told) or "没有不同"


def _by_same(edition: FenceEdition) -> dict[UUID, Fence]:
    return {fence.same: fence for fence in fences_of(edition)}


def _said(fence: Fence) -> tuple[Any, ...]:
    return fence.name, fence.geom.hex, fence.owner, fence.from_day, fence.to_day, fence.hours


def _few(names: list[str]) -> str:
    return "、".join(names[:_NAMED]) + ("等" if len(names) > _NAMED else "")
