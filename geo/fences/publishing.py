"""From draft to published and back: checked, approved by a second person, published to count from a moment, taken back.

What is published never changes while it counts; an edition that has not begun may be taken back to be changed. Duties are
checked by whoever calls.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.fences.drafting import C, Drafting, E
from geo.fences.drafts import EditionState
from geo.fences.signals import draft_changed
from geo.scope import Scope

PUBLISHED_SAID: Final = "这个版本已经发布，不能再改。请从它新建一份草稿。"


class Finding(Protocol):
    """Something found in a draft; an ``error`` stands in the way of approval."""

    @property
    def level(self) -> str:
        """Return ``error`` or ``warning``."""

    @property
    def message(self) -> str:
        """Return what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Publishing(Generic[E, C]):
    """How drafts of one kind are published.

    ``findings`` looks a draft through. ``any_locked`` returns an edition of the scope in whatever state, locked. ``begins`` names
    the field of when it counts from. ``audited`` writes an act (``approve``, ``publish``, ``withdraw``, ``discard``) down.
    """

    drafting: Drafting[E, C]
    findings: Callable[[Any], Sequence[Finding]]
    any_locked: Callable[[UUID, Scope], E]
    begins: str
    audited: Callable[[str, Any, Scope, Mapping[str, Any]], object]

    @transaction.atomic
    def check(self, *, edition_id: UUID, scope: Scope) -> tuple[E, Sequence[Finding]]:
        """Look a draft through; without errors it becomes checked, until somebody changes it. Return it and what was found."""
        draft: Any = self.drafting.locked(edition_id, scope)
        found = self.findings(draft)
        errors = errors_among(found)
        if draft.state != EditionState.APPROVED or errors:
            draft.state = EditionState.DRAFT if errors else EditionState.CHECKED
            draft.checked_by, draft.approved_by = "" if errors else scope.actor, ""
            draft.save(update_fields=["state", "checked_by", "approved_by"])
        return draft, found

    @transaction.atomic
    def approve(self, *, edition_id: UUID, seen: int, accept: bool, scope: Scope) -> E:
        """Approve a checked draft; not by the one who changed it last. ``accept`` says that warnings were seen and are meant.

        Raises ``Conflict`` for a draft that changed, is not checked, or is one's own; ``BadInput`` for errors, unread warnings.
        """
        draft: Any = self._seen(edition_id, seen, scope)
        if draft.state == EditionState.APPROVED:
            return draft  # type: ignore[no-any-return]
        self._refuse_unfit(draft, accept, "再批准")
        if draft.changed_by == scope.actor:
            raise Conflict(
                "same_person", "最后修改这份草稿的是您自己。请另一位有批准权限的同事来批准，两个人看过才发布。"
            )
        draft.state, draft.approved_by = EditionState.APPROVED, scope.actor
        self.note(draft, "approve", "批准", scope)
        self.audited("approve", draft, scope, {})
        return draft  # type: ignore[no-any-return]

    @transaction.atomic
    def submit(self, *, edition_id: UUID, seen: int, accept: bool, scope: Scope) -> E:
        """Hand a checked draft in to be approved by somebody else. ``accept`` says that warnings were seen and are meant.

        Raises ``Conflict`` for a draft that changed, is not checked, or is approved already; ``BadInput`` for errors and unread
        warnings.
        """
        draft: Any = self._seen(edition_id, seen, scope)
        if draft.state == EditionState.APPROVED:
            raise Conflict("edition_approved", "这份草稿已经批准，不用再送审。")
        self._refuse_unfit(draft, accept, "再送审")
        self.note(draft, "submit", "送审", scope)
        return draft  # type: ignore[no-any-return]

    @transaction.atomic
    def send_back(self, *, edition_id: UUID, why: str, scope: Scope) -> E:
        """Give a draft back to be changed: it is to be checked and handed in again."""
        draft: Any = self.any_locked(edition_id, scope)
        draft.state, draft.checked_by, draft.approved_by = EditionState.DRAFT, "", ""
        self.note(draft, "send_back", f"退回修改：{why}"[:200], scope)
        return draft  # type: ignore[no-any-return]

    @transaction.atomic
    def publish(self, *, edition_id: UUID, seen: int, begins: Any, said: str, scope: Scope) -> E:
        """Let an approved draft count from a moment, which ``said`` tells, in one act. Raises ``Conflict`` and ``BadInput``."""
        draft: Any = self._seen(edition_id, seen, scope)
        if draft.state != EditionState.APPROVED:
            raise Conflict("edition_unapproved", "这份草稿还没有批准。请先检查，再由另一位同事批准。")
        _refuse_errors(self.findings(draft))
        draft.state = EditionState.PUBLISHED
        setattr(draft, self.begins, begins)
        draft.published_by, draft.published_at = scope.actor, timezone.now()
        self.note(draft, "publish", f"发布，自 {said} 起使用", scope)
        self.audited("publish", draft, scope, {self.begins: begins.isoformat()})
        return draft  # type: ignore[no-any-return]

    @transaction.atomic
    def withdraw(self, *, edition_id: UUID, now: Any, beside: Callable[[E], bool], said: str, scope: Scope) -> E:
        """Take back a published edition that has not begun: it is an approved draft again.

        ``now`` is compared with when it begins, ``said`` formats that. Raises ``Conflict`` for one that has begun, or that has a
        draft ``beside`` it.
        """
        row: Any = self.any_locked(edition_id, scope)
        begins = getattr(row, self.begins)
        if row.state != EditionState.PUBLISHED or begins is None:
            raise Conflict("edition_unpublished", "这个版本还没有发布，不用撤回。")
        if begins <= now:
            raise Conflict("edition_begun", "这个版本已经在使用，不能撤回。要改就从它新建一份草稿，再发布。")
        if beside(row):
            raise Conflict("draft_open", "旁边还有一份草稿，请先放弃它，再撤回这一版。")
        setattr(row, self.begins, None)
        row.state, row.published_by, row.published_at = EditionState.APPROVED, "", None
        self.note(row, "withdraw", f"撤回，原定 {begins:{said}} 起使用", scope)
        self.audited("withdraw", row, scope, {})
        return row  # type: ignore[no-any-return]

    @transaction.atomic
    def discard(self, *, edition_id: UUID, seen: int, scope: Scope) -> E:
        """Throw a draft away with all it holds, and return it. Raises ``Conflict`` when it changed since it was ``seen``."""
        draft: Any = self.drafting.locked(edition_id, scope)
        check_seen(draft, seen)
        self.audited("discard", draft, scope, {})
        draft_changed.send(sender=type(draft), edition=draft, said="放弃了草稿", scope=scope)
        editions = type(draft)._default_manager
        # one that was published, begun from and taken back: what began with it goes back to where that came from
        editions.filter(begun_from=draft).update(begun_from=draft.begun_from_id)
        draft.changes.update(undoes=None)  # an act that undid another protects it, even where both go
        editions.filter(pk=draft.pk).delete()
        return draft  # type: ignore[no-any-return]

    def note(self, edition: Any, act: str, said: str, scope: Scope) -> None:
        """Keep an act on the state of an edition among its changes; it changes nothing that it holds."""
        edition.revision += 1
        edition.save()
        self.begun(edition, act, said, scope)

    def begun(self, edition: Any, act: str, said: str, scope: Scope) -> None:
        """Keep among the changes of an edition what was done to it as a whole."""
        change: Any = self.drafting.changes(
            key=uuid.uuid4(), edition=edition, revision=edition.revision, act=act, said=said, made_by=scope.actor
        )
        change.save(force_insert=True)

    def _refuse_unfit(self, draft: Any, accept: bool, then: str) -> None:
        """Raise for a draft that is not checked, has errors, or warnings that nobody accepted; ``then`` is what may follow."""
        if draft.state != EditionState.CHECKED:
            raise Conflict("edition_unchecked", "这份草稿还没有通过检查。请先点“检查”。")
        found = self.findings(draft)
        _refuse_errors(found)
        if any(each.level == "warning" for each in found) and not accept:
            raise BadInput("edition_doubtful", f"检查出了要留意的情况，请看过后勾选“我已核对”，{then}。")

    def _seen(self, edition_id: UUID, seen: int, scope: Scope) -> Any:
        draft: Any = self.any_locked(edition_id, scope)
        if draft.state == EditionState.PUBLISHED:
            raise Conflict("edition_published", PUBLISHED_SAID)
        check_seen(draft, seen)
        return draft


def errors_among(found: Sequence[Finding]) -> list[Finding]:
    """Return what stands in the way of approval."""
    return [each for each in found if each.level == "error"]


def check_seen(draft: Any, seen: int) -> None:
    """Raise ``Conflict`` that names who changed a draft since the revision that was ``seen``."""
    if draft.revision != seen:
        raise Conflict(
            "edition_changed",
            f"{draft.changed_by} 刚改过这份草稿。请核对下面的最新内容，再继续。",
            newest=draft.revision,
        )


def _refuse_errors(found: Sequence[Finding]) -> None:
    errors = errors_among(found)
    if errors:
        raise BadInput("edition_flawed", f"还有 {len(errors)} 处错误没有改好。第一处：{errors[0].message}")
