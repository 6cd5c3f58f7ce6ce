"""The rules that the workflow asks: how work is handed out, and what the smart review looks for, of all matters and of each."""

from __future__ import annotations

from typing import Final

from services.kernel.expressions import Kind
from services.kernel.forms.registry import declared
from services.kernel.forms.spec import Ask, Field, FormSpec
from services.kernel.rules.spec import Fact, RuleSetSpec
from services.kernel.workflow.registry import matters
from services.kernel.workflow.spec import MatterSpec

DISPATCH: Final = RuleSetSpec(
    key="cases.dispatch",
    title="派单规则",
    help="“按规则派单”的环节打开时，按这张表决定由谁办理。写了几个账号的，派给手上最少的一位；没有一行适用的，"
    "在有权办理的人里派给手上最少的一位。",
    inputs=(
        Fact("matter", "事项", help="事项的名称"),
        Fact("category", "业务类别"),
        Fact("step", "环节", help="环节的名称"),
        Fact("source", "申请来源"),
        Fact("region", "区划", help="办理环节所在的区或街镇的名称"),
        Fact("round", "第几次办理", "number", whole=True, help="退回重办的从 2 算起"),
    ),
    outputs=(Fact("handlers", "由谁办理（账号）", "texts"),),
)
_VERDICT: Final = (
    Fact("verdict", "结论", choices=(("fail", "不符合"), ("check", "请人工核对"), ("pass", "符合"))),
    Fact("reason", "说明", help="写给经办人员看的一句话"),
)
_OF_ANY_CASE: Final = (
    Fact("source", "申请来源", help="网上申请、窗口受理、一网通办等"),
    Fact("region", "区划", help="所在街镇的名称"),
    Fact("by_body", "由机构申请", "flag"),
)
TRUTH: Final = RuleSetSpec(
    key="review.truth",
    title="真实性审核（所有事项）",
    hit="collect",
    help="每个事项的申请提交和补正以后都按这张表审核；符合的每一行都算。",
    inputs=(
        Fact("matter", "事项", help="事项的名称"),
        *_OF_ANY_CASE,
        Fact("signed_in", "申请人有账号", "flag"),
        Fact("name_same", "申请人姓名与账号一致", "flag", help="没有账号或表单没有问姓名的，这一项为空"),
        Fact("age", "申请人年龄", "number", unit="岁", whole=True, help="按证件里的出生日期；没有问的为空"),
        Fact("shared", "同一证件的其他在办申请人", "number", unit="人", whole=True),
        Fact("running", "本人同一事项的在办件", "number", unit="件", whole=True),
        Fact("body_active", "申请机构在册有效", "flag", help="个人申请的，这一项为空"),
    ),
    outputs=_VERDICT,
)
_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "integer": "number",
    "decimal": "number",
    "day": "day",
    "yes_no": "flag",
    "choice": "text",
    "choices": "texts",
}


def complete_key(matter: str) -> str:
    """Return the key of the rules by which a matter's applications are complete."""
    return f"review.complete.{matter}"


def eligible_key(matter: str) -> str:
    """Return the key of the rules by which somebody is eligible in a matter."""
    return f"review.eligible.{matter}"


def RULES() -> tuple[RuleSetSpec, ...]:  # noqa: N802 (the name under which declarations are found)
    """Return all rule sets: two more for every matter that is declared."""
    return (DISPATCH, TRUTH, *(each for spec in matters().values() for each in review_sets(spec)))


def review_sets(spec: MatterSpec) -> tuple[RuleSetSpec, RuleSetSpec]:
    """Return the rules of completeness and of eligibility of a matter: they read its facts and what its form asks."""
    inputs = (*_OF_ANY_CASE, *facts_reviewed(spec))
    files = Fact("files", "已交的材料份数", "number", unit="份", whole=True)
    return (
        RuleSetSpec(
            complete_key(spec.key), f"完整性审核：{spec.title}", (*inputs, files), _VERDICT, "collect",
            help="必填的字段和材料在事项设置里勾选；这张表写别的要求，例如多大面积要交消防材料。",
        ),
        RuleSetSpec(
            eligible_key(spec.key), f"资格性审核：{spec.title}", inputs, _VERDICT, "collect",
            help="写明什么样的申请符合条件；业务关联和互斥在事项设置里选。",
        ),
    )  # fmt: skip


def facts_reviewed(spec: MatterSpec) -> tuple[Fact, ...]:
    """Return what rules may read of a matter's cases: its facts, and the questions of its form that say nothing of a person."""
    found = {fact.key: Fact(fact.key, fact.label, fact.kind, tuple((each.key, each.name) for each in fact.choices))
             for fact in spec.facts}  # fmt: skip
    taken = {fact.key for fact in _OF_ANY_CASE} | {"files"}
    for field in _fields(declared().forms.get(spec.form)):
        if field.key not in found and field.key not in taken and (fact := _fact(field)) is not None:
            found[field.key] = fact
    return tuple(found.values())


def _fields(form: FormSpec | None) -> list[Field]:
    if form is None:
        return []
    parts = (*form.parts, *(part for parts in form.by_entry.values() for part in parts))
    asks: list[Ask] = [ask for part in parts for ask in part.asks]
    return [declared().fields[ask.key] for ask in asks if ask.key in declared().fields]


def _fact(field: Field) -> Fact | None:
    """Return a question as a fact; None for one that names a person, or that no rule could read."""
    kind = _KINDS.get(field.kind)
    if kind is None or field.sensitive:
        return None
    terms = declared().dictionaries[field.dictionary].terms if field.dictionary else ()
    try:
        return Fact(field.key, field.label, kind, tuple((term.code, term.label) for term in terms), field.unit)
    except ValueError:  # its key or label speaks of numbers of people, which rules must not read
        return None
