"""From what staff arranged to a form: every key looked up, every change held against what the city allows, every rule read. Pure.

A composition is JSON: ``{"help", "sections": [{"title", "help", "items": […]}], "checks": [{"expression", "sentence",
"at"}]}``; an item names a field (``"field"``) or a certificate (``"paper"``) and what is changed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from geo.errors import BadInput
from services.kernel.expressions import Expression, ExpressionFault, condition_of
from services.kernel.forms.answering.linking import is_required, kinds_of, labels_of, loops_in, reads_of
from services.kernel.forms.composing.changing import change_certificate, change_field
from services.kernel.forms.composing.snapshots import snapshot_of
from services.kernel.forms.spec import (
    Ask,
    Certificate,
    CrossCheck,
    Dictionary,
    Field,
    Form,
    FormSpec,
    Item,
    Offer,
    Paper,
    Question,
    Section,
    When,
)

MOST_ITEMS: Final = 200
MOST_SECTIONS: Final = 30
MOST_CHECKS: Final = 50
LONGEST_TITLE: Final = 40
LONGEST_HELP: Final = 500


@dataclass(frozen=True, slots=True)
class Library:
    """What a form may be composed of: the fields, certificates and dictionaries in use."""

    fields: Mapping[str, Field]
    certificates: Mapping[str, Certificate]
    dictionaries: Mapping[str, Dictionary]


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a composition from being published: the key of the item, '' for the whole, and what to do."""

    at: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Composed:
    """The form a composition makes, of all that could be read, and what is wrong with it."""

    form: Form
    problems: tuple[Problem, ...]


def compose(
    data: Mapping[str, Any], library: Library, *, key: str, title: str, entry: str, city: Form | None = None
) -> Composed:
    """Bring a composition together with a library. ``city`` is the city's form, whose fixed items a district keeps."""
    problems: list[Problem] = []
    sections = _sections(data, library, problems)
    form = Form(key, title, entry, tuple(sections), dictionaries=(), help=str(data.get("help", ""))[:LONGEST_HELP])
    form = replace(form, dictionaries=_dictionaries(form, library))
    form = replace(form, checks=_checks(data, form, problems))
    _judge(form, problems)
    if city is not None:
        _judge_fixed(form, city, problems)
    return Composed(form, tuple(problems))


def composition_of(spec: FormSpec, entry: str) -> dict[str, Any]:
    """Return the composition that an app declared for an entry."""
    parts = (*spec.parts, *spec.by_entry.get(entry, ()))
    return {
        "help": spec.help,
        "sections": [
            {"title": part.title, "help": part.help, "items": [_declared(ask) for ask in part.asks]} for part in parts
        ],
        "checks": [snapshot_of(check) for check in spec.checks],
    }


def _declared(ask: Ask) -> dict[str, Any]:
    said = {"key": ask.key, "always": ask.always, "fixed": ask.fixed or None, "offers": snapshot_of(ask.offers) or None}
    conditions = {"shown": ask.shown, "required": ask.required}
    said |= {name: snapshot_of(when) for name, when in conditions.items() if when is not None}
    return {name: value for name, value in said.items() if value is not None}


def _sections(data: Mapping[str, Any], library: Library, problems: list[Problem]) -> list[Section]:
    found, seen = [], set[str]()
    given = data.get("sections", [])
    if len(given) > MOST_SECTIONS:
        problems.append(Problem("", f"最多分 {MOST_SECTIONS} 节，请合并。"))
    if sum(len(one.get("items", ())) for one in given) > MOST_ITEMS:
        problems.append(Problem("", f"一张表最多 {MOST_ITEMS} 项，请删减。"))
        return []
    for one in given[:MOST_SECTIONS]:
        title = str(one.get("title", "")).strip()[:LONGEST_TITLE]
        if not title:
            problems.append(Problem("", "每一节都要有标题。"))
        items = []
        for raw in one.get("items", ()):
            item = _item(raw, library, problems)
            if item is None:
                continue
            if item.key in seen:
                problems.append(Problem(item.key, f"“{_label(item)}”用了两次，请去掉一个。"))
                continue
            seen.add(item.key)
            items.append(item)
        found.append(Section(title, tuple(items), str(one.get("help", ""))[:LONGEST_HELP]))
    return found


def _item(raw: Mapping[str, Any], library: Library, problems: list[Problem]) -> Item | None:
    key = str(raw.get("key", ""))[:60]
    shown, required = (_when(raw.get(name), key, problems) for name in ("shown", "required"))
    fixed = bool(raw.get("fixed"))
    try:
        if field := library.fields.get(key):
            changed = change_field(field, raw, library.dictionaries)
            offers = tuple(
                Offer(when, tuple(str(code) for code in one.get("codes", ())))
                for one in raw.get("offers", ())
                if (when := _when(one.get("when"), key, problems)) is not None
            )
            codes = tuple(str(code) for code in raw.get("codes", ()))
            return Question(changed, shown, required, offers, codes, fixed)
        if certificate := library.certificates.get(key):
            return Paper(change_certificate(certificate, raw), shown, required, fixed)
    except BadInput as fault:
        problems.append(Problem(key, fault.message))
        return None
    problems.append(Problem(key, f"“{key}”不在字段库和证照库里，或已停用，请换一项。"))
    return None


def _when(data: object, key: str, problems: list[Problem]) -> When | None:
    if not data:
        return None
    try:
        return condition_of(data)
    except ExpressionFault as fault:
        problems.append(Problem(key, fault.message))
        return None


def _dictionaries(form: Form, library: Library) -> tuple[Dictionary, ...]:
    wanted: dict[str, None] = {}
    for question in form.questions():
        for field in (question.field, *question.field.columns):
            if field.dictionary:
                wanted[field.dictionary] = None
    return tuple(library.dictionaries[key] for key in wanted if key in library.dictionaries)


def _checks(data: Mapping[str, Any], form: Form, problems: list[Problem]) -> tuple[CrossCheck, ...]:
    """Return the checks between answers that can be meant; what is wrong with others is a problem."""
    found = []
    kinds, labels = kinds_of(form), labels_of(form)
    for one in data.get("checks", ())[:MOST_CHECKS]:
        text, sentence = str(one.get("expression", "")).strip(), str(one.get("sentence", "")).strip()[:200]
        if not text:
            continue
        if not sentence:
            problems.append(Problem("", f"校验“{text[:40]}”要写明不满足时怎么提示。"))
        try:
            expression = Expression.condition(text, kinds, labels=labels)
        except ExpressionFault as fault:
            problems.append(Problem("", f"校验“{text[:40]}”：{fault.message}"))
            continue
        at = str(one.get("at", ""))
        found.append(CrossCheck(expression.text, sentence, at if form.question(at) else ""))
    return tuple(found)


def _judge(form: Form, problems: list[Problem]) -> None:
    """Judge conditions, choices and order of a whole form."""
    if not form.questions() and not form.papers():
        problems.append(Problem("", "表单里还没有任何一项，请先从字段库里选。"))
    kinds, keys = kinds_of(form), {item.key for item in form.items()}
    for item in form.items():
        if item.key in reads_of(item):
            problems.append(Problem(item.key, f"“{_label(item)}”的条件不能看它自己。"))
        for when in _conditions(item):
            try:
                when.expression(kinds)
            except ExpressionFault as fault:
                problems.append(Problem(item.key, f"“{_label(item)}”的条件：{fault.message}"))
        if isinstance(item, Question):
            _judge_choice(item, form, problems)
    if loop := [key for key in loops_in(form.items()) if key in keys]:
        problems.append(
            Problem(loop[0], f"联动条件绕成了圈：{' → '.join(_label_of(form, key) for key in loop)}。请拆开其中一条。")
        )


def _conditions(item: Item) -> list[When]:
    found = [item.shown, item.required]
    if isinstance(item, Question):
        found += [offer.when for offer in item.offers]
    return [when for when in found if when is not None]


def _judge_choice(question: Question, form: Form, problems: list[Problem]) -> None:
    if not question.field.dictionary:
        return
    known = {term.code for term in form.dictionary(question.field.dictionary).terms if term.active}
    if not known:
        problems.append(Problem(question.key, f"“{question.field.label}”的码表里没有可选项。"))
    for codes in (question.codes, *(offer.codes for offer in question.offers)):
        if codes and not known & set(codes):
            problems.append(Problem(question.key, f"“{question.field.label}”保留的选项都已停用，请重新勾选。"))
    if any(not offer.codes for offer in question.offers):
        problems.append(Problem(question.key, f"“{question.field.label}”有一条联动没有勾选可选项。"))


def _judge_fixed(form: Form, city: Form, problems: list[Problem]) -> None:
    own = {item.key: item for item in form.items()}
    for item in city.items():
        if not item.fixed:
            continue
        kept = own.get(item.key)
        if kept is None:
            problems.append(Problem(item.key, f"“{_label(item)}”是全市必须采集的，不能去掉。"))
        elif is_required(item) and not is_required(kept):
            problems.append(Problem(item.key, f"“{_label(item)}”是全市必填的，不能改成选填。"))
        elif kept.shown != item.shown:
            problems.append(Problem(item.key, f"“{_label(item)}”是全市必须采集的，显示条件要与全市一致。"))


def _label(item: Item) -> str:
    return item.field.label if isinstance(item, Question) else item.certificate.name


def _label_of(form: Form, key: str) -> str:
    return next((_label(item) for item in form.items() if item.key == key), key)
