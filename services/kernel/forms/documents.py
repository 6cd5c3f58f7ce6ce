"""Files of submissions and of certificates, and the sheet of a form, filled in or blank.

A filled sheet is made when it is asked for and never kept among the files: it may hold what is sealed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.queries import holds_citywide
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
from services.kernel.forms.library.queries import LIBRARY, VIEW
from services.kernel.forms.models import Certificate, Submission, SubmissionState
from services.kernel.forms.queries import OWNER_KIND, Part, form_of, may_fill, papers_shown, submission
from services.kernel.forms.registry import form_named
from services.kernel.forms.spec import Certificate as CertificateValue

TEMPLATE: Final = "form-filled"


def find_submission(owner_id: str, scope: Scope) -> Owner:
    """Return a submission as an owner of files, its papers as what they are for. Raises ``NotFound``."""
    row = submission(owner_id, scope=scope)
    editable = may_fill(row, scope)
    papers = [paper.certificate for paper in papers_shown(row, form_of(row))]
    if row.state == SubmissionState.SUPPLEMENT and editable:
        papers = [paper for paper in papers if paper.code in row.asked]
    return Owner(
        title=row.number or form_named(row.form).title,
        href=f"/forms/fill/{row.pk}",
        region_id=row.region_id,
        may_edit=editable,
        staff=True,
        purposes=tuple(purpose_of(paper) for paper in papers),
    )


def purpose_of(paper: CertificateValue) -> Purpose:
    """Return what files of a certificate are taken for."""
    types = frozenset(FileType(each) for each in paper.types)
    return Purpose(paper.code, paper.name, types, paper.most_bytes, paper.most, paper.sensitive, help=paper.description)


def sheet_of(row: Submission, parts: list[Part]) -> dict[str, Any]:
    """Return the sheet of a submission as its template reads it."""
    spec = form_named(row.form)
    entry = spec.entry(row.entry)
    handed_in = timezone.localtime(row.submitted_at) if row.submitted_at else None
    return sheet(
        title=spec.title, entry=entry.name if entry else "", region=region_name(row.region_id), parts=parts,
        number=row.number or "", handed_in=f"{handed_in:%Y-%m-%d %H:%M}" if handed_in else "尚未提交",
    )  # fmt: skip


def sheet(
    *, title: str, entry: str, region: str, parts: list[Part], number: str = "", handed_in: str = ""
) -> dict[str, Any]:
    """Return a sheet as its template reads it."""
    return {
        "表名": title, "入口": entry, "区划": region, "编号": number, "提交时间": handed_in,
        "内容": [{"节": part.title, "行": [{"项目": one.label, "内容": one.text} for one in part.lines]} for part in parts],
    }  # fmt: skip


def region_name(region_id: int) -> str:
    """Return the published name of a region, '' where there is none."""
    path = path_of(region_id, scope=Scope.public())
    return path[-1].name if path else ""


def find_certificate(owner_id: str, scope: Scope) -> Owner:
    """Return a certificate as the owner of its sample files: everybody may see them, staff of the city keep them."""
    row = Certificate.objects.filter(code=owner_id).first()
    if row is None:
        raise NotFound("certificate_unknown", "没有这种材料。")
    return Owner(
        title=row.name, href=f"/desk/forms/certificates/{row.code}", region_id=None, may_edit=holds_citywide(scope, LIBRARY),
        staff=scope.holds(VIEW),
    )  # fmt: skip


OWNERS: Final = (
    OwnerKind(key=OWNER_KIND, name="表单填报", find=find_submission, purposes=()),
    OwnerKind(
        key="certificate",
        name="材料",
        find=find_certificate,
        purposes=(
            Purpose(
                "blank", "空白表样", PAPERS | {FileType.DOCX, FileType.XLSX}, public=True, help="供下载后填写的空白表。"
            ),
            Purpose(
                "sample", "填写样表", PAPERS | {FileType.DOCX}, public=True, help="填好的样子，姓名证号请用虚构的。"
            ),
            Purpose("picture", "样图", IMAGES, public=True, help="证照长什么样、拍哪几页。"),
            Purpose(
                "annex", "附件", PAPERS | {FileType.DOCX, FileType.XLSX}, help="政策依据、审核要点等，只给工作人员看。"
            ),
        ),
    ),
)

TEMPLATES: Final = (
    TemplateSpec(
        key=TEMPLATE,
        title="填报表",
        owner_kind=OWNER_KIND,
        source=Path(__file__).parent / "texts" / "form_filled.typ",
        fields=(
            TemplateField("表名"),
            TemplateField("入口", required=False),
            TemplateField("区划", required=False),
            TemplateField("编号", "没有提交时为空", required=False),
            TemplateField("提交时间", required=False),
            TemplateField("内容", "一行一节，每节有“节”和“行”，每行有“项目”和“内容”"),
            TemplateField("生成日期", required=False),
            TemplateField("经办人", required=False),
        ),
        sample={
            "表名": "入园报名表（示例）",
            "入口": "本市户籍",
            "区划": "黄浦区",
            "编号": "RY260501-ABCD2345",
            "提交时间": "2026-05-01 08:30",
            "内容": [
                {
                    "节": "幼儿信息",
                    "行": [{"项目": "幼儿姓名", "内容": "王小明"}, {"项目": "出生日期", "内容": "2023-05-06"}],
                }
            ],
            "生成日期": "2026年5月1日",
            "经办人": "示例家长",
        },
    ),
)
