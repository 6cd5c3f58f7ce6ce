"""What is asked of who applies for a service for an elder."""

from __future__ import annotations

from typing import Final

from services.kernel.forms.spec import Ask, Certificate, Checks, Dictionary, Entry, Field, FormSpec, Part, Term
from services.modules.careservice.words import CARE_LEVELS, FAMILY, KINDS_SERVED, SERVICES

_MUST: Final = Checks(required=True)


def _dictionary(key: str, title: str, words: tuple[tuple[str, str], ...]) -> Dictionary:
    return Dictionary(key, title, tuple(Term(code, label) for code, label in words))


DICTIONARIES: Final = (
    _dictionary("care_services", "申请的养老服务", SERVICES),
    _dictionary("care_level", "照护需求等级", CARE_LEVELS),
    _dictionary("care_family", "和老人的关系", FAMILY),
)

FIELDS: Final = (
    Field("care_place", "申请哪家机构", "place", _MUST, facility_kind=",".join(KINDS_SERVED), group="养老服务"),
    Field("care_services", "申请什么服务", "choices", Checks(required=True, shortest=1), "care_services", group="养老服务"),
    Field("care_from", "希望从哪天开始", "day", group="养老服务", help="说不准的不用填。"),
    Field("elder_name", "老人姓名", "name", _MUST, group="老人"),
    Field("elder_identity", "老人身份证号", "identity", _MUST, sensitive=True, group="老人"),
    Field("elder_level", "照护需求等级", "choice", _MUST, "care_level", group="老人",
          help="做过老年照护统一需求评估的，看评估报告；没有做过选“还没有评估”。"),
    Field("elder_note", "身体情况和要求", "long_text", Checks(longest=500), group="老人", help="例如 能自己走、要轮椅、吃软饭。"),
    Field("applicant_kin", "您和老人的关系", "choice", _MUST, "care_family", group="联系人"),
    Field("applicant_name", "联系人姓名", "name", _MUST, group="联系人"),
    Field("applicant_phone", "联系手机号", "phone", _MUST, sensitive=True, group="联系人",
          help="受理和机构的答复会发到这个号码。"),
)  # fmt: skip

CERTIFICATES: Final = (Certificate("YL-PG-001", "照护需求评估报告", "QT", "做过评估的上传；拍清楚每一页。", most=4),)

FORMS: Final = (
    FormSpec(
        key="care-service",
        title="养老服务申请表",
        entries=(Entry("all", "申请"),),
        parts=(
            Part("服务", (Ask("care_place", fixed=True), Ask("care_services"), Ask("care_from"))),
            Part("老人", (Ask("elder_name", fixed=True), Ask("elder_identity", fixed=True), Ask("elder_level"),
                          Ask("elder_note"))),
            Part("联系人", (Ask("applicant_kin"), Ask("applicant_name", fixed=True), Ask("applicant_phone"))),
            Part("材料", (Ask("YL-PG-001"),)),
        ),
        prefills={"applicant_name": ("account", "name"), "applicant_phone": ("account", "phone")},
        number_prefix="FW",
    ),
)  # fmt: skip
