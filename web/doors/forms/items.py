"""The items of a form as a page shows them: one control for each question with its value, choices and faults; and what was
posted back.

Pages of residents, of clerks and the preview of those who compose all show forms through here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import QueryDict

from services.kernel.forms.answering import Checked
from services.kernel.forms.answering.linking import is_required
from services.kernel.forms.looking_up import CityKnown, places_offered, regions_offered
from services.kernel.forms.spec import Field, Form, Paper, Question

INPUT_TYPES: Final = {"integer": "text", "day": "date", "month": "month", "phone": "tel"}
INPUT_MODES: Final = {"integer": "numeric", "decimal": "decimal", "phone": "tel", "identity": "text"}
ROWS_ADDED: Final = 1
LONG_LIST: Final = 6
MOST_ROWS_POSTED: Final = 30


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be chosen."""

    code: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One question as a page shows it; ``shape`` names the markup: line, area, radios, ticks, select, group."""

    key: str
    name: str
    id: str
    label: str
    help: str
    shape: str
    type: str
    mode: str
    value: str
    required: bool
    faults: tuple[str, ...]
    options: tuple[Option, ...] = ()
    rows: tuple[tuple[Control, ...], ...] = ()
    unit: str = ""
    source: str = ""
    longest: int | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of a section: a control, or a paper whose files are taken in beside the form."""

    key: str
    control: Control | None = None
    paper: Paper | None = None
    required: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A section with the items that appear; ``filled`` of ``all`` have an answer."""

    number: int
    title: str
    help: str
    items: tuple[Asked, ...]
    filled: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a form is shown with: answers as typed, what checking found, the place it is about."""

    form: Form
    values: Mapping[str, Any]
    checked: Checked
    under: str
    """The path of the region whose streets and places are offered."""
    tell: bool = False
    """Whether what is wrong is told: not before somebody asked to hand in."""
    sources: Mapping[str, Any] = field(default_factory=dict)
    only: Sequence[str] = ()
    """The keys that may be changed, all where none are named."""
    everything: bool = False
    """Whether items that do not appear are shown too."""

    def sections(self) -> list[Shown]:
        """Return the sections of which anything appears."""
        found = []
        for number, section in enumerate(self.form.sections, 1):
            items = tuple(
                self._asked(item) for item in section.items if self.everything or item.key in self.checked.linked.shown
            )
            if items:
                filled = sum(1 for item in section.items if self.values.get(item.key) not in (None, "", []))
                found.append(Shown(number, section.title, section.help, items, filled))
        return found

    def _asked(self, item: Question | Paper) -> Asked:
        required = item.key in self.checked.linked.required or (self.everything and is_required(item))
        if isinstance(item, Paper):
            return Asked(item.key, paper=item, required=required, faults=self._faults(item.key))
        return Asked(item.key, control=self._control(item, required))

    def _control(self, item: Question, required: bool) -> Control:
        key, value = item.key, self.values.get(item.key)
        if item.field.kind == "group":
            return self._group(item, required, value)
        offered = self.checked.linked.offered.get(key)
        return self._single(item.field, key, value, required, offered)

    def _group(self, item: Question, required: bool, value: Any) -> Control:
        rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        most = item.field.checks.longest or 20
        shown = [*rows, *[{} for _ in range(min(ROWS_ADDED, most - len(rows)))]] if len(rows) < most else rows
        made = tuple(
            tuple(
                self._single(
                    column, f"{item.key}.{number}.{column.key}", row.get(column.key), column.checks.required, None
                )
                for column in item.field.columns
            )
            for number, row in enumerate(shown)
        )  # fmt: skip
        return Control(
            key=item.key, name=item.key, id=f"f-{item.key}", label=item.field.label, help=item.field.help, shape="group",
            type="", mode="", value="", required=required, faults=self._faults(item.key), rows=made,
            locked=self._locked(item.key),
        )  # fmt: skip

    def _single(self, one: Field, key: str, value: Any, required: bool, offered: Sequence[str] | None) -> Control:
        options = self._options(one, value, offered)
        return Control(
            key=key, name=key, id=f"f-{key.replace('.', '-')}", label=one.label, help=one.help,
            shape=_shape(one, options), type=INPUT_TYPES.get(one.kind, "text"), mode=INPUT_MODES.get(one.kind, ""),
            value="" if value is None or isinstance(value, bool | list | dict) else str(value), required=required,
            faults=self._faults(key), options=options, unit=one.unit, source=self._source(key), longest=one.checks.longest,
            locked=self._locked(key.partition(".")[0]),
        )  # fmt: skip

    def _options(self, one: Field, value: Any, offered: Sequence[str] | None) -> tuple[Option, ...]:
        chosen = {str(each) for each in value} if isinstance(value, list) else {str(value)}
        if one.kind == "yes_no":
            said = "1" if value in (True, "1") else "0" if value in (False, "0") else ""
            return tuple(Option(code, label, code == said) for code, label in (("1", "是"), ("0", "否")))
        if one.kind in ("choice", "choices"):
            terms = self.form.dictionary(one.dictionary).terms
            known = [term for term in terms if (term.code in offered if offered is not None else term.active)]
            return tuple(Option(term.code, term.label, term.code in chosen) for term in known)
        if one.kind == "region":
            return tuple(Option(code, name, code in chosen) for code, name in regions_offered(one.level, self.under))
        if one.kind == "place":
            places = places_offered(one.facility_kind, self.under)
            if not chosen & {code for code, _ in places} and (name := _place_name(one, value)):
                places.insert(0, (str(value), name))  # chosen on the map, in another street
            return tuple(Option(code, name, code in chosen) for code, name in places)
        return ()

    def _faults(self, key: str) -> tuple[str, ...]:
        if not self.tell:
            return ()
        return tuple(fault.sentence for fault in self.checked.faults if fault.field == key)

    def _source(self, key: str) -> str:
        origin = self.sources.get(key)
        return f"来自{origin['title']}，{_day(origin['as_of'])}" if origin else ""

    def _locked(self, key: str) -> bool:
        return bool(self.only) and key not in self.only


def _place_name(one: Field, value: Any) -> str | None:
    """Return the name of the place a field already holds, None where it holds none that fits."""
    text = str(value)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    return CityKnown().place(number, one.facility_kind) if number else None


def labels_by_key(form: Form) -> dict[str, str]:
    """Return what people call each item of a form."""
    return {
        item.key: item.field.label if isinstance(item, Question) else item.certificate.name for item in form.items()
    }


def told(page: Page) -> list[tuple[str, str, str]]:
    """Return what is wrong for the summary at the top: the id to jump to, the label, the sentence."""
    if not page.tell:
        return []
    labels = labels_by_key(page.form)
    papers = {paper.key for paper in page.form.papers()}
    found = []
    for fault in page.checked.faults:
        key = fault.field.partition(".")[0]
        target = f"paper-{key}" if key in papers else f"f-{fault.field.replace('.', '-')}" if fault.field else "form"
        found.append((target, labels.get(key, ""), fault.sentence))
    return found


def posted(form: Form, data: QueryDict) -> dict[str, Any]:
    """Return what a page posted of a form by key: texts, lists of the ticked, lists of rows. Other fields are left aside."""
    answers: dict[str, Any] = {}
    for question in form.questions():
        one = question.field
        if one.kind == "group":
            rows = _rows(one, data)
            if rows:
                answers[one.key] = rows
        elif one.kind == "choices":
            answers[one.key] = [str(each).replace("\x00", "") for each in data.getlist(one.key) if each]
        elif one.key in data:
            answers[one.key] = str(data.get(one.key, "")).replace("\x00", "")
    return {key: value for key, value in answers.items() if value not in ("", [])}


def _rows(one: Field, data: QueryDict) -> list[dict[str, str]]:
    rows = []
    for number in range(MOST_ROWS_POSTED):
        names = {column.key: f"{one.key}.{number}.{column.key}" for column in one.columns}
        if not any(name in data for name in names.values()):
            break
        row = {key: str(data.get(name, "")).replace("\x00", "") for key, name in names.items()}
        if any(value.strip() for value in row.values()):
            rows.append({key: value for key, value in row.items() if value.strip()})
    return rows


def _shape(one: Field, options: Sequence[Option]) -> str:
    if one.kind == "long_text":
        return "area"
    if one.kind == "choices":
        return "ticks"
    if one.kind in ("choice", "yes_no") and len(options) <= LONG_LIST:
        return "radios"
    if one.kind in ("choice", "region", "place"):
        return "select"
    return "line"


def _day(moment: str) -> str:
    day = dt.datetime.fromisoformat(moment).date()
    return f"{day.year}年{day.month}月{day.day}日"
