"""The files of a case: its materials, and the paper of a 补正 that was taken in at the window."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

from geo.errors import NotFound
from geo.scope import Scope
from services.access.models import User
from services.kernel.documents.spec import (
    IMAGES,
    PAPERS,
    FileType,
    Owner,
    OwnerKind,
    Purpose,
    TemplateField,
    TemplateSpec,
)
from services.kernel.workflow.handlers import handler_of, open_tasks
from services.kernel.workflow.models import Case
from services.kernel.workflow.sending_back import NOTICE
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
        names_people=not applicant,
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
TEMPLATES: Final = (
    TemplateSpec(
        key=NOTICE,
        title="材料补正通知书",
        owner_kind="cases",
        source=Path(__file__).parent / "texts" / "supplement.typ",
        fields=(
            TemplateField("编号"),
            TemplateField("事项"),
            TemplateField("名称"),
            TemplateField("申请人", "姓名，没有账号时写“申请人”"),
            TemplateField("提交日期"),
            TemplateField("材料", "要补的内容，一行一项，每行有“项目”"),
            TemplateField("说明"),
            TemplateField("窗口", "受理的窗口，网上申请时为空", required=False),
            TemplateField("区划"),
            TemplateField("通知日期"),
            TemplateField("生成日期", required=False),
            TemplateField("经办人", required=False),
        ),
        sample={
            "编号": "FW-20260511-7QK3MX2A",
            "事项": "社区服务点登记",
            "名称": "小南门社区服务点（示例）",
            "申请人": "王先生",
            "提交日期": "2026年5月11日",
            "材料": [{"项目": "租赁合同"}, {"项目": "面积（平方米）"}],
            "说明": "合同缺盖章页；面积与平面图不一致。",
            "窗口": "",
            "区划": "老西门街道",
            "通知日期": "2026年5月12日",
            "生成日期": "2026年5月12日",
        },
    ),
)
