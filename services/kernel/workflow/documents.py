"""The files of a case: its materials, and the paper of a 补正 that was taken in at the window."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from geo.errors import NotFound
from geo.scope import Scope
from services.access.models import User
from services.kernel.documents.spec import IMAGES, PAPERS, FileType, Owner, OwnerKind, Purpose
from services.kernel.workflow.handlers import handler_of, open_tasks
from services.kernel.workflow.models import Case
from services.kernel.workflow.transitions import State
from services.kernel.workflow.turning import may_see

_EDITABLE: Final = (State.OPEN, State.SUPPLEMENT)


def find_case(owner_id: str, scope: Scope) -> Owner:
    """Return a case as an owner of files. Raises ``NotFound`` when there is none, or none the scope may see."""
    case, user = _case(owner_id), User.objects.filter(username=scope.actor, is_active=True).first()
    if case is None or user is None or not may_see(case, handler_of(user), scope, open_tasks(case)):
        raise NotFound("case_unknown", "没有找到这个办件，或者它不在您的管辖范围内。")
    applicant = case.applicant_id == user.pk
    # the applicant may add papers until the case was first decided, and whenever papers are asked for
    theirs = case.state == State.SUPPLEMENT or (case.state == State.OPEN and not case.passed)
    return Owner(
        title=f"{case.title}（{case.number}）",
        href=f"/my/cases/{case.uid}" if applicant else f"/desk/cases/{case.uid}",
        region_id=case.region_id,
        may_edit=theirs if applicant else case.state in _EDITABLE,
        staff=True,
    )


def _case(owner_id: str) -> Case | None:
    if owner_id.isascii() and owner_id.isdigit() and len(owner_id) < 19:
        return Case.objects.filter(pk=int(owner_id)).first()
    try:
        return Case.objects.filter(uid=UUID(owner_id)).first()
    except ValueError:
        return None


OWNERS: Final = (
    OwnerKind(
        key="cases",
        name="办件",
        find=find_case,
        purposes=(
            Purpose(
                "material", "申请材料", types=PAPERS | {FileType.DOCX, FileType.XLSX}, most_files=50, sensitive=True
            ),
            Purpose("site", "现场照片", types=IMAGES, most_files=50, sensitive=True),
        ),
    ),
)
TEMPLATES: Final = ()
