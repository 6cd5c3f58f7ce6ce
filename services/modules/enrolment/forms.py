"""The city's library of enrolment fields and certificates, and the forms of its four entries."""

from __future__ import annotations

from typing import Final

from services.kernel.expressions import All, Condition
from services.kernel.forms.spec import Ask, Certificate, Checks, CrossCheck, Entry, Field, FormSpec, Offer, Part
from services.modules.enrolment.dictionaries import DICTIONARIES

_MUST: Final = Checks(required=True)
_LOCAL: Final = Condition("hukou_category", "is", "local")
_BY_ID: Final = Condition("document_type", "is", "id")
_APART: Final = Condition("same_address", "is", False)

_CHILD: Final = (
    Field("child_name", "幼儿姓名", "name", _MUST, help="与户口簿或证件上的一致。", changes=("help",), group="幼儿"),
    Field("document_type", "幼儿证件类型", "choice", _MUST, "document_type", group="幼儿"),
    Field(
        "child_identity",
        "幼儿身份证号",
        "identity",
        _MUST,
        sensitive=True,
        changes=("help",),
        group="幼儿",
        help="户口簿上有。18 位，末位可能是 X。",
    ),
    Field(
        "child_document",
        "幼儿证件号码",
        "text",
        Checks(
            required=True,
            longest=30,
            pattern="[A-Za-z0-9()（）]{5,30}",
            pattern_says="证件号码由字母和数字组成，5 位以上。",
        ),
        sensitive=True,
        group="幼儿",
    ),
    Field("child_sex", "幼儿性别", "choice", _MUST, "sex", group="幼儿"),
    Field("birthday", "出生日期", "day", Checks(required=True, earliest="2015-01-01", latest="today"), group="幼儿"),
    Field("birth_province", "出生地省份", "choice", _MUST, "province", group="幼儿"),
    Field("nationality", "国籍/地区", "choice", _MUST, "country", group="幼儿"),
    Field("nation", "民族", "choice", _MUST, "nation", group="幼儿"),
    Field("native_place", "籍贯", "choice", Checks(), "province", help="祖居地所在的省份。", group="幼儿"),
    Field(
        "allergy",
        "过敏和病史",
        "long_text",
        Checks(longest=300),
        sensitive=True,
        group="幼儿",
        help="没有可不填。只给录取园的保健老师看。",
    ),
    Field(
        "siblings",
        "在园兄弟姐妹",
        "group",
        Checks(longest=3),
        group="幼儿",
        columns=(
            Field("name", "姓名", "name", _MUST),
            Field("birthday", "出生日期", "day", Checks(required=True, latest="today")),
            Field("relation", "所在幼儿园", "text", Checks(longest=40)),
        ),
    ),
)
_HUKOU: Final = (
    Field("hukou_nature", "户口性质", "choice", _MUST, "hukou_nature", group="户籍"),
    Field("householder_relation", "户主与幼儿关系", "choice", _MUST, "relation", group="户籍"),
    Field("hukou_category", "户籍类别", "choice", _MUST, "hukou_category", group="户籍"),
    Field(
        "hukou_address", "户籍地址", "address", _MUST, help="写到室，例如“黄浦区淮海中路45弄3号601室”。", group="户籍"
    ),
    Field("hukou_day", "户籍迁入日期", "day", Checks(latest="today"), group="户籍"),
    Field(
        "same_address", "是否人户一致", "yes_no", _MUST, help="幼儿现在住的地方与户籍地址相同，选“是”。", group="户籍"
    ),
    Field("permit_points", "居住证积分", "choice", _MUST, "permit_points", group="户籍"),
)
_HOME: Final = (
    Field("home_street", "现居住街镇", "region", _MUST, level="street", group="居住"),
    Field(
        "home_committee",
        "现居住居委（村）",
        "text",
        Checks(longest=40),
        group="居住",
        help="例如“文庙居委会”。不知道可以不填，会按地址查。",
    ),
    Field("home_community", "现居住小区", "text", Checks(longest=40), group="居住", help="没有小区名称可以不填。"),
    Field("home_address", "现居住地址", "address", _MUST, group="居住"),
    Field("housing", "住房性质", "choice", _MUST, "housing", group="居住"),
    Field("owner_relation", "产权人或承租人与幼儿关系", "choice", _MUST, "relation", group="居住"),
    Field("home_area", "住房建筑面积", "decimal", Checks(least="1", most="2000"), unit="平方米", group="居住"),
    Field("residents", "同住人数", "integer", Checks(least="1", most="20"), unit="人", group="居住"),
)
_PARENT: Final = (
    Field("guardian_name", "监护人姓名", "name", _MUST, group="监护人"),
    Field("guardian_relation", "监护人与幼儿关系", "choice", _MUST, "relation", group="监护人"),
    Field(
        "guardian_phone",
        "监护人手机号",
        "phone",
        _MUST,
        sensitive=True,
        help="录取通知会发到这个号码。",
        group="监护人",
    ),
    Field("guardian_identity", "监护人身份证号", "identity", Checks(), sensitive=True, group="监护人"),
    Field("note", "补充说明", "long_text", Checks(longest=500), group="其他"),
)
_SCHOOL: Final = (
    Field("kindergarten", "报名幼儿园", "place", _MUST, facility_kind="kindergarten", group="意向"),
    Field("nursery_now", "现在的托班", "place", _MUST, facility_kind="kindergarten_nursery", group="意向"),
    Field("entered_month", "入托年月", "month", Checks(latest="today"), group="意向"),
    Field("transfer_reason", "转园原因", "choices", Checks(required=True, longest=3), "transfer_reason", group="意向"),
    Field("transfer_note", "其他原因说明", "text", Checks(longest=100), group="意向"),
)
_CHECK: Final = (
    Field(
        "checked_address",
        "要核对的地址",
        "address",
        _MUST,
        sensitive=True,
        group="对口核对",
        help="写到室。加密保存，只有办理的工作人员看得到。",
    ),
    Field("checked_entry", "孩子的户口", "choice", _MUST, "catchment_entry", group="对口核对"),
    Field("checked_year", "哪一年入园", "integer", Checks(required=True, least="2000", most="2100"), group="对口核对"),
    Field("checked_answer", "查到的结果", "text", Checks(longest=200), group="对口核对"),
    Field("checked_edition", "依据的版本", "text", Checks(longest=200), group="对口核对"),
    Field("doubt", "哪里不对", "choice", _MUST, "catchment_doubt", group="对口核对"),
    Field(
        "doubt_said",
        "说明",
        "long_text",
        Checks(required=True, longest=500),
        group="对口核对",
        help="应该是哪一所，为什么。不用写孩子的姓名和证件号。",
    ),
)
FIELDS: Final = (*_CHILD, *_HUKOU, *_HOME, *_PARENT, *_SCHOOL, *_CHECK)

CERTIFICATES: Final = (
    Certificate(
        "XQ-HJ-001",
        "户口簿",
        "HJ",
        "首页、户主页、幼儿页各一张。",
        least=2,
        most=6,
        issuer="公安机关",
        matters=("enrolment", "transfer"),
    ),
    Certificate(
        "XQ-SF-001",
        "出生医学证明",
        "SF",
        "正页，四角要拍全。",
        least=1,
        most=2,
        issuer="卫生健康部门",
        matters=("enrolment",),
    ),
    Certificate(
        "XQ-SF-002",
        "监护人身份证",
        "SF",
        "正反面各一张。",
        most=2,
        issuer="公安机关",
        valid_months=240,
        matters=("enrolment",),
    ),
    Certificate(
        "XQ-JZ-001",
        "上海市居住证",
        "JZ",
        "在有效期内，正反面各一张。",
        least=1,
        most=2,
        issuer="公安机关",
        valid_months=12,
        matters=("enrolment",),
    ),
    Certificate(
        "XQ-FC-001", "不动产权证", "FC", "权利人页和附图页。", most=4, issuer="不动产登记机构", matters=("enrolment",)
    ),
    Certificate(
        "XQ-FC-002",
        "房屋租赁备案凭证",
        "FC",
        "在有效期内。",
        most=3,
        issuer="住房管理部门",
        valid_months=12,
        matters=("enrolment",),
    ),
    Certificate(
        "XQ-JK-001",
        "预防接种证",
        "JK",
        "记录页，看得清疫苗名称和日期。",
        most=6,
        issuer="社区卫生服务中心",
        matters=("enrolment", "upgrade"),
    ),
    Certificate(
        "XQ-QT-001",
        "转园证明",
        "QT",
        "原幼儿园盖章。",
        least=1,
        most=2,
        issuer="幼儿园",
        valid_months=3,
        matters=("transfer",),
    ),
    Certificate(
        "XQ-QT-002", "核对材料", "QT", "没有可不传。例如户口簿地址页、产权证、动迁协议，遮住不相关的内容。", most=4
    ),
)

ENTRIES: Final = (
    Entry("local", "本市户籍", "幼儿有上海户籍。"),
    Entry("permit", "持居住证", "监护人持有效《上海市居住证》。"),
    Entry("upgrade", "托班升小班", "已在本市幼儿园托班就读。"),
    Entry("transfer", "转园", "已在园，要转到另一所。"),
)
_CHILD_PART: Final = Part(
    "幼儿信息",
    (
        Ask("child_name", fixed=True),
        Ask("document_type"),
        Ask("child_identity", shown=_BY_ID),
        Ask("child_document", shown=Condition("document_type", "is_not", "id")),
        Ask("child_sex"),
        Ask("birthday", fixed=True),
        Ask("nationality"),
        Ask("birth_province"),
        Ask("nation", shown=Condition("nationality", "is", "156")),
        Ask("native_place"),
        Ask("siblings"),
        Ask("allergy"),
        Ask("XQ-SF-001"),
    ),
)
_GUARDIAN_PART: Final = Part(
    "监护人",
    (
        Ask("guardian_name"),
        Ask("guardian_relation"),
        Ask("guardian_phone", fixed=True),
        Ask("guardian_identity"),
        Ask("XQ-SF-002"),
    ),
)
_HOME_PART: Final = Part(
    "居住信息",
    (
        Ask("home_street"),
        Ask("home_committee"),
        Ask("home_community"),
        Ask("home_address", shown=_APART),
        Ask("housing"),
        Ask("owner_relation", shown=Condition("housing", "in", ["owned", "public", "rented"])),
        Ask("home_area"),
        Ask("residents"),
        Ask(
            "XQ-FC-001",
            shown=Condition("housing", "is", "owned"),
            required=All((_APART, Condition("housing", "is", "owned"))),
        ),
        Ask("XQ-FC-002", shown=Condition("housing", "is", "rented")),
    ),
)
_HUKOU_PART: Final = Part(
    "户籍信息",
    (
        Ask("hukou_category", fixed=True),
        Ask("hukou_nature", shown=_LOCAL),
        Ask("householder_relation", shown=_LOCAL),
        Ask("same_address"),
        Ask("hukou_address"),
        Ask("hukou_day", shown=_LOCAL),
        Ask("XQ-HJ-001", shown=_LOCAL),
    ),
)
_CHOICE_PART: Final = Part("报名意向", (Ask("kindergarten"), Ask("note"), Ask("XQ-JK-001")))

FORMS: Final = (
    FormSpec(
        key="enrolment",
        title="入园报名表",
        entries=ENTRIES,
        help="请照证件填写。填到一半可以存草稿，换手机、电脑都能接着填。",
        parts=(_CHILD_PART,),
        by_entry={
            "local": (_HUKOU_PART, _HOME_PART, _GUARDIAN_PART, _CHOICE_PART),
            "permit": (
                Part(
                    "户籍和居住证",
                    (
                        Ask("hukou_category", fixed=True, offers=(Offer(_BY_ID, ("permit", "blue")),)),
                        Ask("same_address"),
                        Ask("hukou_address"),
                        Ask("permit_points", shown=Condition("hukou_category", "is", "permit")),
                        Ask("XQ-JZ-001"),
                    ),
                ),
                _HOME_PART,
                _GUARDIAN_PART,
                _CHOICE_PART,
            ),
            "upgrade": (Part("托班", (Ask("nursery_now"), Ask("entered_month"))), _GUARDIAN_PART, _CHOICE_PART),
            "transfer": (
                Part(
                    "转园",
                    (
                        Ask("transfer_reason"),
                        Ask(
                            "transfer_note",
                            shown=Condition("transfer_reason", "contains", "other"),
                            required=Condition("transfer_reason", "contains", "other"),
                        ),
                        Ask("XQ-QT-001"),
                    ),
                ),
                _GUARDIAN_PART,
                _CHOICE_PART,
            ),
        },
        checks=(
            CrossCheck("birthday == child_identity.birthday", "出生日期与身份证号里的不一致，请核对。", "birthday"),
            CrossCheck(
                '(child_sex == "male" and child_identity.sex == "男") or (child_sex == "female" and child_identity.sex == "女")',
                "性别与身份证号里的不一致，请核对。",
                "child_sex",
            ),
        ),
        prefills={
            "guardian_name": ("account", "name"),
            "guardian_phone": ("account", "phone"),
            "child_name": ("earlier", "child_name"),
            "child_identity": ("earlier", "child_identity"),
            "document_type": ("earlier", "document_type"),
            "birthday": ("earlier", "birthday"),
            "child_sex": ("earlier", "child_sex"),
        },
        number_prefix="RY",
    ),
    FormSpec(
        key="catchment-check",
        title="对口核对申请表",
        entries=(Entry("check", "对口核对"),),
        help="查到的结果已经填好。说明哪里不对，再提交。",
        parts=(
            Part(
                "查到的结果",
                (
                    Ask("checked_address", fixed=True),
                    Ask("checked_entry", fixed=True),
                    Ask("checked_year", fixed=True),
                    Ask("checked_answer", fixed=True),
                    Ask("checked_edition", fixed=True),
                ),
            ),
            Part("哪里不对", (Ask("doubt", fixed=True), Ask("doubt_said", fixed=True), Ask("XQ-QT-002"))),
        ),
        number_prefix="HD",
    ),
)

__all__ = ["CERTIFICATES", "DICTIONARIES", "FIELDS", "FORMS"]
