"""What is asked of who makes an appointment: one declaration that pages show and answers are checked by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.kernel.forms.answering import Checked, Fault, validate
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.spec import Checks, Dictionary, Field, Form, Question, Section, Term
from services.modules.waste.models import Area, Unit

MOST_DAYS: Final = 60
_MUST: Final = Checks(required=True)


def _dictionary(key: str, title: str, choices: Any) -> Dictionary:
    return Dictionary(key, title, tuple(Term(str(code), str(label)) for code, label in choices))


def _section(title: str, *fields: Field) -> Section:
    return Section(title, tuple(Question(field) for field in fields))


FORM: Final = Form(
    key="waste-appointment",
    title="装修垃圾预约单",
    entry="all",
    sections=(
        _section(
            "在哪里",
            Field("address", "详细地址", "text", Checks(required=True, shortest=3, longest=120), help="写到门牌号和室号。"),
            Field("site", "小区或单位名称", "text", Checks(required=True, longest=60)),
            Field("area", "收运区域", "choice", _MUST, "waste_area"),
        ),
        _section(
            "运多少、哪天运",
            Field("amount", "预计收运重量", "decimal", Checks(required=True, least="0.1", most="9999"), places=1,
                  help="装好袋的填几袋，散装的填大约几吨。"),
            Field("unit", "按什么算", "choice", _MUST, "waste_unit"),
            Field("day", "预计收运日期", "day", Checks(required=True, earliest="today")),
        ),
        _section(
            "联系人",
            Field("name", "联系人姓名", "name", _MUST),
            Field("phone", "联系人手机", "phone", _MUST, sensitive=True, help="收运单位会打这个号码。"),
        ),
    ),
    dictionaries=(
        _dictionary("waste_area", "收运区域", Area.choices), _dictionary("waste_unit", "计量", Unit.choices),
    ),
)  # fmt: skip


def check_sheet(raw: Mapping[str, Any], *, today: dt.date) -> Checked:
    """Return the answers to keep, or what is wrong with them."""
    checked = validate(FORM, raw, known=CityKnown(), today=today)
    faults = list(checked.faults)
    day, amount = checked.answers.get("day"), checked.answers.get("amount")
    if day and dt.date.fromisoformat(str(day)) > today + dt.timedelta(days=MOST_DAYS):
        faults.append(Fault("day", "day_far", f"请选 {MOST_DAYS} 天以内的日期。"))
    if amount is not None and checked.answers.get("unit") == Unit.BAGS and float(amount) % 1:
        faults.append(Fault("amount", "bags_whole", "按袋算的请填整数，例如 12。"))
    return replace(checked, faults=tuple(faults))
