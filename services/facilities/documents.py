"""The files that a place may have, and the documents that can be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from geo.errors import NotFound
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.qr import qr_svg
from services.facilities.queries import facility_detail, within_scope
from services.kernel.documents.spec import (
    IMAGES,
    MEGABYTE,
    PAPERS,
    FileType,
    Owner,
    OwnerKind,
    Purpose,
    TemplateField,
    TemplateSpec,
)

_EDITS: Final = ("facilities.edit", "facilities.report")


def find_facility(owner_id: str, scope: Scope) -> Owner:
    """Return a place as an owner of files. Raises ``NotFound`` when there is none, or none the scope may see."""
    number = _number(owner_id)
    place = facility_detail(number, scope=scope).place
    row = Facility.objects.get(pk=number)
    own = Facility.objects.filter(within_scope(scope), pk=number).exists()
    staff = own and scope.holds("facilities.view")
    return Owner(
        title=place.name,
        href=f"/desk/ledgers/facilities/{number}",
        region_id=row.region_id,
        may_edit=staff and any(scope.holds(duty) for duty in _EDITS),
        staff=staff,
    )


def facts_of(owner_id: str, scope: Scope) -> Mapping[str, Any]:
    """Return what a document may say of a place, by the names of its fields."""
    detail = facility_detail(_number(owner_id), scope=scope)
    place = detail.place
    page = f"{settings.SITE_URL}/places/{place.id}" if settings.SITE_URL else ""
    return {
        "名称": place.name,
        "类型": place.kind_name,
        "地址": place.address,
        "电话": place.phone,
        "机构": detail.organisation,
        "状态": place.status_name,
        "名额": "" if place.places is None else str(place.places),
        "开放时间": [{"星期": day, "时间": hours} for day, hours in detail.week],
        "其他情况": [{"项目": label, "内容": str(value)} for label, value in detail.said],
        "数据来源": detail.source,
        "网址": page,
        "二维码": qr_svg(page).decode() if page else "",
    }


def _number(owner_id: str) -> int:
    if not (owner_id.isascii() and owner_id.isdecimal() and len(owner_id) < 19):
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经撤销或换了编号。可以按名称再找一次。")
    return int(owner_id)


OWNERS: Final = (
    OwnerKind(
        key="facilities",
        name="服务设施",
        find=find_facility,
        facts=facts_of,
        purposes=(
            Purpose(
                "photo",
                "照片",
                IMAGES,
                most_bytes=20 * MEGABYTE,
                most_files=12,
                public=True,
                help="门面和室内，不要拍到人脸。拍摄地点等隐藏信息会自动去掉。",
            ),
            Purpose("licence", "证照", PAPERS, help="营业执照、备案回执、食品经营许可证等的扫描件或照片。"),
            Purpose(
                "inspection",
                "检查材料",
                PAPERS | {FileType.DOCX, FileType.XLSX},
                sensitive=True,
                help="检查记录、整改报告。每次打开都会留下记录。",
            ),
        ),
    ),
)

TEMPLATES: Final = (
    TemplateSpec(
        key="place-sheet",
        title="服务设施登记表",
        owner_kind="facilities",
        source=Path(__file__).parent / "texts" / "place_sheet.typ",
        fields=(
            TemplateField("名称"),
            TemplateField("类型"),
            TemplateField("地址"),
            TemplateField("电话", "没有时留空", required=False),
            TemplateField("机构", "运营机构，没有时留空", required=False),
            TemplateField("状态", "开放、筹备中、暂停服务或已关闭"),
            TemplateField("名额", "个数，没有时留空", required=False),
            TemplateField("开放时间", "一行一天，每行有“星期”和“时间”", required=False),
            TemplateField("其他情况", "一行一项，每行有“项目”和“内容”", required=False),
            TemplateField("数据来源", required=False),
            TemplateField("网址", "这家机构的公开网页，没有设站点网址时留空", required=False),
            TemplateField("二维码", "公开网页的二维码图形，只用于内置的 PDF 模板", required=False),
            TemplateField("生成日期", "如 2026年3月1日"),
            TemplateField("经办人", "生成这份文书的人"),
        ),
        sample={
            "名称": "豫园街道综合为老服务中心（示例）",
            "类型": "综合为老服务中心",
            "地址": "上海市黄浦区示例路 1 号",
            "电话": "021-12345",
            "机构": "示例社会服务中心",
            "状态": "开放",
            "名额": "60",
            "开放时间": [{"星期": "周一至周五", "时间": "08:30–17:00"}, {"星期": "周六、周日", "时间": "休息"}],
            "其他情况": [{"项目": "助餐", "内容": "提供"}, {"项目": "无障碍", "内容": "有坡道"}],
            "数据来源": "示例数据",
            "网址": "https://quantu.example/places/1",
            "二维码": qr_svg("https://quantu.example/places/1").decode(),
            "生成日期": "2026年3月1日",
            "经办人": "示例经办",
        },
    ),
)
