"""What is wrong with a submission as it stands: as a form, and, once it is sound as one, for those who declared it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from geo.scope import Scope
from services.kernel.forms.answering import Checked, Fault, Known, validate
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import files_by_paper, items_open
from services.kernel.forms.signals import judging
from services.kernel.forms.spec import Form


def judge(form: Form, answers: Mapping[str, Any], row: Submission, known: Known | None = None) -> Checked:
    """Return what is wrong with answers as answers to a form."""
    files = {key: len(names) for key, names in files_by_paper(row).items()}
    now, only = timezone.localdate(), items_open(row)
    return validate(form, answers, known=known or CityKnown(), today=now, files=files, only=only)


def judge_whole(form: Form, answers: Mapping[str, Any], row: Submission, *, scope: Scope) -> Checked:
    """Return what stands against handing answers in: sound as a form, they are also held against what its owner keeps."""
    checked = judge(form, answers, row)
    if not checked.good:
        return checked
    told = judging.send(sender=Submission, submission=row, answers=checked.answers, scope=scope)
    answered: list[Sequence[Fault]] = [found for _, found in told if found]  # type: ignore[misc]  # as receivers are declared
    return replace(checked, faults=tuple(fault for found in answered for fault in found))
