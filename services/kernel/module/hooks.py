"""Tells modules what happens to their forms and matters, in the same transaction: what a hook raises undoes the act."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.dispatch import receiver

from geo.scope import Scope
from services.kernel.forms.answering import Fault
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import whole_answers
from services.kernel.forms.signals import handed_in, judging
from services.kernel.module.registry import function_named, modules
from services.kernel.workflow.models import Case
from services.kernel.workflow.signals import case_ended


@receiver(judging)
def ask_checked(submission: Submission, answers: Mapping[str, Any], scope: Scope, **_: Any) -> tuple[Fault, ...]:
    """Ask the module of a form what is wrong with answers that are sound as such."""
    name = _checked().get(submission.form)
    if not name:
        return ()
    return tuple(function_named(name)(submission=submission, answers=answers, scope=scope))


@receiver(handed_in)
def tell_recorded(submission: Submission, scope: Scope, **_: Any) -> None:
    """Call the hook of a form that was handed in; again when it was handed in once more with a supplement."""
    if name := _recorded().get(submission.form):
        function_named(name)(submission=submission, answers=whole_answers(submission), scope=scope)


@receiver(case_ended)
def tell_ended(case: Case, scope: Scope, **_: Any) -> None:
    """Call the hook of a matter one of whose cases ended, with the answers of its form, else with what the case knows."""
    if name := _ended().get(case.matter):
        function_named(name)(case=case, answers=_answers_of(case), scope=scope)


def _answers_of(case: Case) -> dict[str, Any]:
    if case.submission is None:
        return dict(case.facts)
    return whole_answers(Submission.objects.get(pk=case.submission))


@cache
def _checked() -> dict[str, str]:
    return {hook.of: hook.calls for module in modules().values() for hook in module.spec.checked}


@cache
def _recorded() -> dict[str, str]:
    return {hook.of: hook.calls for module in modules().values() for hook in module.spec.recorded}


@cache
def _ended() -> dict[str, str]:
    return {hook.of: hook.calls for module in modules().values() for hook in module.spec.ended}
