"""What a step's handler fills in when deciding (环节界面): fields of the library, as a small form of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from geo.errors import BadInput
from services.kernel.forms.answering import validate
from services.kernel.forms.library.queries import library_now
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.queries import summary
from services.kernel.forms.spec import Field, Form, Question, Section
from services.kernel.workflow.models import Task
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.spec import Fact, MatterSpec, Step
from services.kernel.workflow.turning import Turn

BEFORE: Final = "fill_"
"""What stands before the keys of its fields on a page, apart from those of the act."""
KINDS_FILLED: Final = frozenset(
    {"text", "long_text", "integer", "decimal", "day", "month", "choice", "choices", "yes_no", "region", "place"}
)


def fields_to_fill() -> dict[str, Field]:
    """Return the fields of the library that a step may ask of its handler: single ones that are not sealed."""
    fields = library_now().fields
    return {key: each for key, each in fields.items() if not each.sensitive and each.kind in KINDS_FILLED}


def form_of_step(step: Step) -> Form | None:
    """Return what the handler of a step fills in, as a form; None where that is nothing."""
    if not step.fills:
        return None
    library = library_now()
    fields = [library.fields[key] for key in step.fills if key in library.fields and not library.fields[key].sensitive]
    if not fields:
        return None
    questions = tuple(Question(replace(each, key=f"{BEFORE}{each.key}")) for each in fields)
    used = {each.dictionary for each in fields if each.dictionary}
    dictionaries = tuple(library.dictionaries[key] for key in sorted(used) if key in library.dictionaries)
    return Form("step", step.name, "", (Section("本环节填写", questions),), dictionaries=dictionaries)


def fill_in(turn: Turn, task: Task, step: Step, typed: Mapping[str, Any]) -> None:
    """Keep with a task what its handler filled in, and let the case know those that are its facts; the task is not saved.

    Raises ``BadInput`` for answers that are missing or wrong.
    """
    form = form_of_step(step)
    if form is None:
        return
    checked = validate(form, typed, known=CityKnown(), today=timezone.localdate())
    if checked.faults:
        raise BadInput("filled_wrong", checked.faults[0].sentence, field=checked.faults[0].field)
    lines = [[line.label, line.text] for part in summary(form, checked.answers, {}, reveal=True) for line in part.lines]
    answers = {key.removeprefix(BEFORE): value for key, value in checked.answers.items()}
    task.filled = {"answers": answers, "lines": [line for line in lines if line[1]]}
    turn.case.facts = {**turn.case.facts, **facts_among(matter_named(task.matter), answers)}


def facts_among(spec: MatterSpec, answers: Mapping[str, object]) -> dict[str, object]:
    """Return those answers that are facts of a matter, as its conditions read them."""
    return {
        fact.key: plain_fact(fact, answers[fact.key])
        for fact in spec.facts
        if fact.key in answers and answers[fact.key] not in (None, "")
    }


def plain_fact(fact: Fact, value: object) -> object:
    """Return an answer as a case keeps it: numbers as numbers, all else as it is."""
    if fact.kind == "number" and isinstance(value, str | Decimal):
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    return value
