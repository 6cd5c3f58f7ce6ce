"""The forms that may be filled in about one row of a ledger, as buttons on its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

from geo.scope import Scope
from services.kernel.forms.begun import reference_to
from services.kernel.forms.registry import form_named
from services.kernel.spec import LedgerSpec
from services.kernel.workflow.registry import matters
from services.kernel.workflow.spec import MatterSpec


@dataclass(frozen=True, slots=True)
class RowFormShown:
    """A button: what it says, its icon, and where it leads."""

    label: str
    icon: str
    url: str


def forms_begun_from(spec: LedgerSpec, pk: int, scope: Scope) -> list[RowFormShown]:
    """Return the forms somebody may fill in about a row: at the window by its staff, else for an institution of their own."""
    of_matters = {matter.form: matter for matter in matters().values() if matter.form}
    shown = []
    for each in spec.forms:
        about = [("from", reference_to(spec, pk))]
        for address, more in _ways(each.form, of_matters.get(each.form), scope):
            shown.append(RowFormShown(each.label, each.icon, f"{address}?{urlencode([*more, *about])}"))
    return shown


def _ways(form: str, matter: MatterSpec | None, scope: Scope) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the one way somebody begins a form, if there is one: an address and what it asks besides."""
    if matter is None:
        duty = form_named(form).duty
        if not duty or scope.holds(duty):
            yield reverse("form-start", args=[form]), []
    elif matter.opens and scope.holds(matter.opens):
        yield reverse("case-new", args=[matter.key]), [("at", "window")]
    elif matter.applicants and scope.organisations:
        yield reverse("case-new", args=[matter.key]), []
