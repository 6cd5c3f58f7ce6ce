"""What is asked for advisory points, advisers and their records. In a form of change, what is left empty stays as it is."""

from __future__ import annotations

from typing import Any, Final

from services.facilities.models import FacilityStatus
from services.kernel.expressions import Any as AnyOf
from services.kernel.expressions import Condition
from services.kernel.forms.prefilling import Source
from services.kernel.forms.spec import (
    Ask,
    Certificate,
    Checks,
    CrossCheck,
    Dictionary,
    Entry,
    Field,
    FormSpec,
    Part,
    Term,
)
from services.modules.advisers.models import SITE_KIND, Post
from services.modules.advisers.queries import adviser_known, site_known
from services.modules.advisers.words import AGE_BANDS, ENGAGED, LEVELS, RESULTS, TOPICS, WAYS, Words

_MUST: Final = Checks(required=True)
_TELEPHONE: Final = Checks(longest=30, pattern=r"[0-9\-+ ]{5,30}", pattern_says="电话由数字组成，例如 021-12345678。")
_NUMBERED: Final = Checks(
    required=True, longest=40, pattern=r"[A-Za-z0-9\-]{4,40}", pattern_says="证书编号由字母、数字和横线组成，4 位以上。"
)
_STAYS: Final = "不变的不用填。"
_ADDRESS_HELP: Final = "写到门牌，例如 黄浦区老西门街道复兴东路123号。地图上的位置按它来定。"
_CORRECTS_HELP: Final = "新填的记录不用填。更正的请从台账里抄编号：原记录会标为“已更正”，这一份代替它。"
_NO_NAMES: Final = "只记年龄段，不写老人的姓名和证件号。"


def _dictionary(key: str, title: str, words: Words) -> Dictionary:
    return Dictionary(key, title, tuple(Term(code, label) for code, label in words))


DICTIONARIES: Final = (
    _dictionary("adviser_level", "顾问点级别", LEVELS),
    _dictionary("adviser_status", "顾问点状态", tuple(FacilityStatus.choices)),
    _dictionary("adviser_engaged", "专兼职", ENGAGED),
    _dictionary("adviser_post", "在岗情况", tuple((key, label) for key, label in Post.choices if key != Post.COMING)),
    _dictionary("adviser_way", "咨询方式", WAYS),
    _dictionary("adviser_topic", "咨询主题", TOPICS),
    _dictionary("adviser_age_band", "老人年龄段", AGE_BANDS),
    _dictionary("adviser_result", "咨询结果", RESULTS),
)

_PLACE: Final = (
    Field("adviser_site", "养老顾问点", "place", _MUST, facility_kind=SITE_KIND, group="顾问点"),
    Field("adviser_site_name", "顾问点名称", "text", Checks(required=True, longest=60), group="顾问点"),
    Field("adviser_site_address", "顾问点地址", "address", _MUST, help=_ADDRESS_HELP, group="顾问点"),
    Field("adviser_site_phone", "咨询电话", "text", _TELEPHONE, group="顾问点"),
    Field("adviser_level", "顾问点级别", "choice", _MUST, "adviser_level", group="顾问点"),
    Field("adviser_topics", "咨询内容", "choices", Checks(required=True, shortest=1), "adviser_topic", group="顾问点"),
    Field("adviser_opened_on", "设立日期", "day", _MUST, group="顾问点"),
    Field("adviser_status", "顾问点状态", "choice", _MUST, "adviser_status", group="顾问点"),
    Field("adviser_why", "变更原因", "text", Checks(required=True, longest=100), group="顾问点"),
)  # fmt: skip
_PERSON: Final = (
    Field("adviser_name", "顾问员姓名", "name", _MUST, group="顾问员"),
    Field("adviser_identity", "顾问员身份证号", "identity", _MUST, sensitive=True, group="顾问员"),
    Field("adviser_phone", "顾问员手机号", "phone", _MUST, sensitive=True, group="顾问员"),
    Field("adviser_engaged", "专兼职", "choice", _MUST, "adviser_engaged", group="顾问员"),
    Field("adviser_certificate", "顾问员证书编号", "text", _NUMBERED, group="顾问员"),
    Field("adviser_certified_on", "发证日期", "day", Checks(required=True, latest="today"), group="顾问员"),
    Field("adviser_from", "上岗日期", "day", _MUST, group="顾问员"),
    Field("adviser_to", "到哪天", "day", group="顾问员", help="没有期限的不用填。"),
    Field("adviser_post", "在岗情况", "choice", _MUST, "adviser_post", group="顾问员"),
)  # fmt: skip
_WORK: Final = (
    Field("record_number", "要更正的记录编号", "text", Checks(longest=24), help=_CORRECTS_HELP, group="顾问工作"),
    Field("record_cancels", "只作废，不重填", "yes_no", group="顾问工作"),
    Field("record_why", "更正或作废的原因", "text", Checks(required=True, longest=200), group="顾问工作"),
    Field("record_on", "咨询日期", "day", Checks(required=True, latest="today"), group="顾问工作"),
    Field("record_way", "咨询方式", "choice", _MUST, "adviser_way", group="顾问工作"),
    Field("record_topic", "咨询主题", "choice", _MUST, "adviser_topic", group="顾问工作"),
    Field("record_age", "老人年龄段", "choice", _MUST, "adviser_age_band", help=_NO_NAMES, group="顾问工作"),
    Field("record_minutes", "用时", "integer", Checks(required=True, least="1", most="600"), unit="分钟", group="顾问工作"),
    Field("record_summary", "咨询内容", "long_text", Checks(required=True, longest=500), group="顾问工作"),
    Field("record_result", "咨询结果", "choice", _MUST, "adviser_result", group="顾问工作"),
)  # fmt: skip
FIELDS: Final = (*_PLACE, *_PERSON, *_WORK)

CERTIFICATES: Final = (
    Certificate("YL-GW-001", "顾问点场地照片", "QT", "门面和室内各一张。", most=4, sensitive=False),
    Certificate("YL-GW-002", "养老顾问员证书", "SF", "拍清姓名、编号和发证日期。", most=2),
)

_OLD: Final = Condition("record_number", "filled")
_TOLD: Final = AnyOf((Condition("record_cancels", "empty"), Condition("record_cancels", "is", False)))
_LATER: Final = CrossCheck("adviser_to >= adviser_from", "“到哪天”不能早于上岗日期。", "adviser_to")
_SITE_CHANGES: Final = (
    "adviser_site_name", "adviser_site_address", "adviser_site_phone", "adviser_level", "adviser_topics", "adviser_status",
)  # fmt: skip
_ADVISER_CHANGES: Final = ("adviser_site", "adviser_post", "adviser_engaged", "adviser_phone", "adviser_to")


def _asks(*keys: str, **how: Any) -> tuple[Ask, ...]:
    return tuple(Ask(key, **how) for key in keys)


def _form(key: str, title: str, act: str, prefix: str, *parts: Part, **more: Any) -> FormSpec:
    return FormSpec(key=key, title=title, entries=(Entry("all", act),), parts=parts, number_prefix=prefix, **more)


def _known(source: str, *keys: str) -> dict[str, tuple[str, str]]:
    return {key: (source, key) for key in keys}


FORMS: Final = (
    _form(
        "adviser-site-new", "养老顾问点申请表", "设立顾问点", "GD",
        Part("顾问点", (
            *_asks("adviser_site_name", "adviser_site_address", fixed=True),
            *_asks("adviser_level", "adviser_topics", "adviser_opened_on", fixed=True),
            Ask("adviser_site_phone"),
        )),
        Part("材料", _asks("YL-GW-001")),
    ),
    _form(
        "adviser-site-change", "养老顾问点变更申请表", "变更顾问点", "GD",
        Part("哪个顾问点", _asks("adviser_site", "adviser_why", fixed=True)),
        Part("变更成什么", _asks(*_SITE_CHANGES, always=False), help=_STAYS),
        prefills=_known("adviser_site", "adviser_site", *_SITE_CHANGES),
    ),
    _form(
        "adviser-new", "养老顾问员申请表", "申请顾问员", "GY",
        Part("顾问员", _asks(
            "adviser_name", "adviser_identity", "adviser_phone", "adviser_certificate", "adviser_certified_on", fixed=True
        )),
        Part("岗位", (*_asks("adviser_site", "adviser_engaged", "adviser_from", fixed=True), Ask("adviser_to"))),
        Part("材料", _asks("YL-GW-002")),
        checks=(_LATER,), prefills=_known("adviser_site", "adviser_site"),
    ),
    _form(
        "adviser-change", "养老顾问员变更申请表", "变更顾问员", "GY",
        Part("哪位顾问员", _asks("adviser_certificate", "adviser_why", fixed=True)),
        Part("变更成什么", _asks(*_ADVISER_CHANGES, always=False), help=_STAYS),
        prefills=_known("adviser", "adviser_certificate", *_ADVISER_CHANGES),
    ),
    _form(
        "adviser-record", "养老顾问工作记录", "填写记录", "GZ",
        Part("更正以前的记录", (Ask("record_number"), *_asks("record_cancels", "record_why", shown=_OLD))),
        Part("谁在哪里", _asks("adviser_site", "adviser_certificate", "record_on", "record_way", shown=_TOLD)),
        Part("咨询", _asks(
            "record_topic", "record_age", "record_minutes", "record_summary", "record_result", shown=_TOLD
        )),
        help="一次咨询填一份，只记年龄段，不写老人的姓名。", duty="advisers.record",
        prefills=_known("earlier", "adviser_site", "adviser_certificate", "record_way"),
    ),
)  # fmt: skip

SOURCES: Final = (
    Source("adviser_site", "您机构的顾问点", site_known),
    Source("adviser", "顾问员台账", adviser_known),
)
