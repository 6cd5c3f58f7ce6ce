"""Writes of 补正: ask for fields, certificates and papers, and take what came; the clock stands between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from geo.errors import BadInput
from geo.scope import Scope
from services.access.models import User
from services.kernel.workflow.models import Case
from services.kernel.workflow.reviewing import review_case
from services.kernel.workflow.sending_back import close_supplement, labels_asked, send_back
from services.kernel.workflow.transitions import Act
from services.kernel.workflow.turning import act, begin, start_clock, worded

MOST_ITEMS: Final = 20


@act
def ask_supplement(
    *,
    uid: UUID | str,
    note: str,
    items: Sequence[str] = (),
    fields: Collection[str] = (),
    certificates: Collection[str] = (),
    user: User,
    scope: Scope,
    key: str,
    version: int,
) -> Case:
    """Ask the applicant to mend answers and certificates of the form, or to bring other papers (``items``).

    The clock stops until they come. A notice is made as a document, and goes out by every channel. Raises ``BadInput`` where
    nothing is asked for, or what the form does not have.
    """
    turn = begin(uid, Act.ASK_SUPPLEMENT, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    task = turn.own_task()
    text = worded(note, needed=True, what="补正说明")
    wanted = [each.strip()[:60] for each in items if each.strip()]
    labels = labels_asked(turn.case, {*fields, *certificates})
    if not 1 <= len(wanted) + len(labels) <= MOST_ITEMS:
        raise BadInput("items_missing", f"请勾选或写下要补正的内容，1 到 {MOST_ITEMS} 项。")
    send_back(turn, f"{task.name}：要求补正", text, wanted, labels)
    return turn.case


@act
def supplement(*, uid: UUID | str, note: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Say that the papers are there: by the applicant, or by the handler who took them in at the window. The clock goes on.

    The smart review looks at the case again.
    """
    turn = begin(uid, Act.SUPPLEMENT, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    case = turn.case
    by_applicant = case.applicant_id == user.pk
    text = worded(note, needed=not by_applicant, what="线下补正的情况")
    items = case.needed.get("items", [])
    close_supplement(case)
    turn.note("已补正材料" if by_applicant else "窗口代为补正材料", opinion=text, open_to_applicant=True, items=items)
    case.needed = {}
    start_clock(turn)
    review_case(turn)
    return case
