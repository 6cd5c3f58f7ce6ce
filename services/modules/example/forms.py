"""What is asked of who registers a service point: the place, who answers for it, and the papers."""

from __future__ import annotations

from typing import Final

from services.kernel.expressions import Condition
from services.kernel.forms.spec import Ask, Certificate, Checks, Dictionary, Entry, Field, FormSpec, Part, Term

_MUST: Final = Checks(required=True)

DICTIONARIES: Final = (
    Dictionary(
        "point_services",
        "服务点服务内容",
        (
            Term("meal", "助餐"),
            Term("care", "日间照护"),
            Term("health", "健康指导"),
            Term("culture", "文化活动"),
            Term("other", "其他"),
        ),
    ),
    Dictionary("site_finding", "现场核查结论", (Term("good", "与申请一致"), Term("differs", "与申请不一致"))),
)

FIELDS: Final = (
    Field(
        "point_name",
        "服务点名称",
        "text",
        Checks(required=True, longest=60),
        group="服务点",
        help="例如 小南门社区服务点。",
    ),
    Field("point_services", "服务内容", "choices", Checks(required=True, shortest=1), "point_services", group="服务点"),
    Field(
        "point_address", "地址", "text", Checks(required=True, longest=120), group="服务点", help="写到门牌号和室号。"
    ),
    Field(
        "area",
        "面积（平方米）",
        "decimal",
        Checks(required=True, least="1", most="5000"),
        unit="平方米",
        group="服务点",
    ),
    Field("night", "晚上开放", "yes_no", group="服务点", help="晚上 9 点以后还开放的，选“是”。"),
    Field("contact_name", "负责人姓名", "name", _MUST, group="负责人"),
    Field("contact_identity", "负责人身份证号", "identity", _MUST, sensitive=True, group="负责人"),
    Field(
        "contact_phone",
        "负责人手机号",
        "phone",
        _MUST,
        sensitive=True,
        help="进度和补正通知会发到这个号码。",
        group="负责人",
    ),
    Field("point_note", "补充说明", "long_text", Checks(longest=500), group="服务点"),
    Field("site_area", "现场测量面积", "decimal", Checks(least="1", most="5000"), unit="平方米", group="现场核查"),
    Field("site_finding", "现场核查结论", "choice", Checks(), "site_finding", group="现场核查"),
)

CERTIFICATES: Final = (
    Certificate("SQ-FC-001", "房屋租赁合同或产权证明", "FC", "合同要有盖章页；产权证明要有附图页。", most=6),
    Certificate("SQ-QT-001", "场地平面图", "QT", "标出出入口和面积。", most=3, sensitive=False),
    Certificate("SQ-QT-002", "消防安全承诺书", "QT", "晚上也开放的要交。", most=2, sensitive=False),
)

FORMS: Final = (
    FormSpec(
        key="service-point",
        title="社区服务点登记申请表",
        entries=(Entry("all", "登记申请"),),
        parts=(
            Part("服务点", (Ask("point_name", fixed=True), Ask("point_services"), Ask("point_address"), Ask("area", fixed=True),
                            Ask("night"), Ask("point_note"))),
            Part("负责人", (Ask("contact_name", fixed=True), Ask("contact_identity", fixed=True), Ask("contact_phone"))),
            Part("材料", (Ask("SQ-FC-001"), Ask("SQ-QT-001"), Ask("SQ-QT-002", shown=Condition("night", "is", True)))),
        ),
        prefills={"contact_name": ("account", "name"), "contact_phone": ("account", "phone")},
        number_prefix="FW",
    ),
)  # fmt: skip
