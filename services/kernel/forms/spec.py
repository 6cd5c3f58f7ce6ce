"""What forms are made of, as frozen values: fields, dictionaries, certificates, and the form a district composed of them. Pure.

An app declares the library and the forms to begin with in its ``forms.py``: tuples ``DICTIONARIES``, ``FIELDS``,
``CERTIFICATES``, ``FORMS`` and ``SOURCES`` (of prefilled values). Staff change the library and the forms from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from services.kernel.expressions import All, Any, Condition

FieldKind = Literal[
    "text", "long_text", "integer", "decimal", "day", "month", "choice", "choices", "yes_no", "phone", "identity", "name",
    "region", "address", "place", "group",
]  # fmt: skip
KIND_NAMES: Final = MappingProxyType({
    "text": "单行文字", "long_text": "多行文字", "integer": "整数", "decimal": "小数", "day": "日期", "month": "年月",
    "choice": "单选", "choices": "多选", "yes_no": "是或否", "phone": "手机号", "identity": "身份证号", "name": "姓名",
    "region": "行政区划", "address": "标准地址", "place": "服务机构", "group": "多行表格",
})  # fmt: skip
Change = Literal["label", "help", "required", "checks", "choices"]
CHANGES: Final = MappingProxyType(
    {"label": "名称", "help": "说明", "required": "是否必填", "checks": "检验规则", "choices": "可选项"}
)
ALL_CHANGES: Final[tuple[Change, ...]] = ("label", "help", "required", "checks", "choices")
When = Condition | All | Any
"""A condition that staff build by clicking."""


@dataclass(frozen=True, slots=True)
class Term:
    """One line of a dictionary; a withdrawn one is no longer offered, but what was answered with it keeps its label."""

    code: str
    label: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A closed list of answers (码表)."""

    key: str
    title: str
    terms: tuple[Term, ...]

    def term(self, code: str) -> Term | None:
        """Return the term of a code."""
        return next((each for each in self.terms if each.code == code), None)

    def label(self, code: str) -> str:
        """Return what a code means; the code itself where it is none of ours."""
        found = self.term(code)
        return found.label if found else code


@dataclass(frozen=True, slots=True)
class Checks:
    """What an answer must satisfy; None and '' ask for nothing.

    ``shortest`` and ``longest`` count characters, chosen terms or rows; ``least`` and ``most`` are decimal numbers as text;
    ``earliest`` and ``latest`` are ISO days or ``"today"``. A ``pattern`` must match the whole answer; ``pattern_says`` is what
    somebody is told whose answer does not.
    """

    required: bool = False
    shortest: int | None = None
    longest: int | None = None
    least: str | None = None
    most: str | None = None
    earliest: str | None = None
    latest: str | None = None
    pattern: str = ""
    pattern_says: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the library: what is asked, how it is answered, and what a district may change of it.

    ``level`` is the level of a region asked for, ``facility_kind`` the kinds of a place, with commas (''=any), ``columns`` the
    fields of one row of a group. ``sensitive`` answers are sealed and shown in part.
    """

    key: str
    label: str
    kind: FieldKind = "text"
    checks: Checks = Checks()
    dictionary: str = ""
    help: str = ""
    unit: str = ""
    sensitive: bool = False
    places: int = 2
    level: str = "district"
    facility_kind: str = ""
    columns: tuple[Field, ...] = ()
    changes: tuple[Change, ...] = ALL_CHANGES
    group: str = ""
    """Under what the library lists it: 幼儿信息, 户籍信息."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A kind of paper people hand in (证照、材料).

    ``code`` follows the coding rule of ``coding``; ``category`` is a code of the dictionary of categories; ``least`` and ``most``
    count files; ``types`` are file types of ``services.kernel.documents``; ``valid_months`` is how long the paper holds, None for
    ever; ``matters`` are codes of the dictionary of matters it is asked for in.
    """

    code: str
    name: str
    category: str
    description: str = ""
    least: int = 0
    most: int = 5
    types: tuple[str, ...] = ("jpeg", "png", "webp", "pdf")
    most_bytes: int = 20_000_000
    valid_months: int | None = None
    medium: str = "copy"
    issuer: str = ""
    matters: tuple[str, ...] = ()
    sensitive: bool = True
    changes: tuple[Change, ...] = ALL_CHANGES


@dataclass(frozen=True, slots=True)
class Offer:
    """Which terms of a choice are offered while a condition holds."""

    when: When
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A field as a form asks it: with the district's changes, and with what makes it appear, be required, or offer less.

    ``codes`` are the terms the form offers at all, none for every term of the dictionary. ``fixed`` ones the city keeps in every
    district's form.
    """

    field: Field
    shown: When | None = None
    required: When | None = None
    offers: tuple[Offer, ...] = ()
    codes: tuple[str, ...] = ()
    fixed: bool = False

    @property
    def key(self) -> str:
        """Return the key its answer stands under."""
        return self.field.key


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate as a form asks for it."""

    certificate: Certificate
    shown: When | None = None
    required: When | None = None
    fixed: bool = False

    @property
    def key(self) -> str:
        """Return the key its condition and its faults stand under."""
        return self.certificate.code


Item = Question | Paper


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a form with a heading."""

    title: str
    items: tuple[Item, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What must hold between answers: an expression over their keys, what to tell when it does not, and beside which field.

    It is asked only when every answer it reads is there.
    """

    expression: str
    sentence: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form: all that is needed to ask, check, show and print it, whatever becomes of the library afterwards."""

    key: str
    title: str
    entry: str
    sections: tuple[Section, ...]
    checks: tuple[CrossCheck, ...] = ()
    dictionaries: tuple[Dictionary, ...] = ()
    help: str = ""

    def items(self) -> Iterator[Item]:
        """Yield questions and papers in their order."""
        for section in self.sections:
            yield from section.items

    def questions(self) -> list[Question]:
        """Return the questions in their order."""
        return [item for item in self.items() if isinstance(item, Question)]

    def papers(self) -> list[Paper]:
        """Return the papers in their order."""
        return [item for item in self.items() if isinstance(item, Paper)]

    def question(self, key: str) -> Question | None:
        """Return the question with a key."""
        return next((each for each in self.questions() if each.key == key), None)

    def dictionary(self, key: str) -> Dictionary:
        """Return a dictionary, an empty one where the form has none of that key."""
        return next((each for each in self.dictionaries if each.key == key), Dictionary(key, key, ()))

    def with_living(self, living: dict[str, Dictionary]) -> Form:
        """Return the form with what became of its dictionaries since: terms withdrawn, terms added; labels stay as published."""
        return replace(self, dictionaries=tuple(_brought_up(each, living.get(each.key)) for each in self.dictionaries))


def _brought_up(published: Dictionary, now: Dictionary | None) -> Dictionary:
    if now is None:
        return published
    known = {term.code: term for term in now.terms}
    kept = [replace(term, active=term.active and known[term.code].active if term.code in known else term.active)
            for term in published.terms]  # fmt: skip
    added = [term for term in now.terms if published.term(term.code) is None]
    return replace(published, terms=(*kept, *added))


@dataclass(frozen=True, slots=True)
class Entry:
    """A way in (报名入口): a key and its name. Each may have a form of its own."""

    key: str
    name: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """An item of a declared form: the key of a field or the code of a certificate, and how the form asks it."""

    key: str
    shown: When | None = None
    required: When | None = None
    always: bool | None = None
    """Whether it is required in any case; None leaves it as the library says."""
    fixed: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a declared form."""

    title: str
    asks: tuple[Ask, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class FormSpec:
    """A form as an app declares it: the city's template to begin with, one for every entry.

    ``parts`` hold what all entries ask, ``by_entry`` further sections of single ones. ``prefills`` name for a field the
    source and the name of the value there. ``number_prefix`` begins the numbers of receipts. ``duty`` must be held by who
    fills it in, '' for everyone who is signed in.
    """

    key: str
    title: str
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    by_entry: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    checks: tuple[CrossCheck, ...] = ()
    prefills: dict[str, tuple[str, str]] = field(default_factory=dict)
    help: str = ""
    number_prefix: str = "BD"
    grace_days: int = 14
    """How many days a form that was replaced may still be sent in by those who had begun it."""
    duty: str = ""

    def entry(self, key: str) -> Entry | None:
        """Return an entry by its key."""
        return next((each for each in self.entries if each.key == key), None)
