"""Forms begun from a row of a ledger: what they know of it, for whoever may see the row and nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from geo.errors import NotFound
from geo.regions.queries import path_of
from geo.scope import Scope
from services.kernel.forms.prefilling import Value
from services.kernel.ledger.queries import model_of, values_of
from services.kernel.ledger.registry import ledger_of
from services.kernel.spec import LedgerSpec, RowForm


@dataclass(frozen=True, slots=True)
class Begun:
    """What a row of a ledger says for a form: where from, its name, the code of its street ('' for none), and the values.

    ``only``: no other source is asked, for it may mean another row.
    """

    ledger: str
    title: str
    name: str
    street: str
    values: Mapping[str, Value]
    only: bool = True


def begun_from(reference: str, form: str, *, scope: Scope) -> Begun:
    """Return what the row of a reference (see ``reference_to``) says for a form.

    Raises ``NotFound`` alike for a row that is not there and one that is not for the scope, and for a form not begun from it.
    """
    key, _, number = reference.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 16):
        raise NotFound("row_unknown", "没有找到这一条，请从台账里重新打开。")
    spec = ledger_of(key, scope=scope)
    declared = _declared(spec, form)
    dated = any(field.name == "updated_at" for field in model_of(spec)._meta.get_fields())
    asked = {
        spec.name,
        *declared.values.values(),
        *([spec.region] if spec.region else []),
        *(["updated_at"] if dated else []),
    }
    row = values_of(spec, int(number), sorted(asked), scope=scope)
    as_of = row.get("updated_at") or timezone.now()
    known = {field: _plain(row[column]) for field, column in declared.values.items()}
    return Begun(
        ledger=spec.key,
        title=f"{spec.title}台账",
        name=str(row[spec.name]),
        street=_street(row[spec.region]) if spec.region else "",
        values={field: Value(value, as_of) for field, value in known.items() if value not in (None, "")},
    )


def reference_to(spec: LedgerSpec, pk: int) -> str:
    """Return how an address names a row of a ledger: advisers.12."""
    return f"{spec.key}.{pk}"


def _declared(spec: LedgerSpec, form: str) -> RowForm:
    for each in spec.forms:
        if each.form == form:
            return each
    raise NotFound("row_form_unknown", f"这张表不能从“{spec.title}”开始填，请从“我的申请”里选。")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _street(region_id: int | None) -> str:
    path = path_of(region_id, scope=Scope.public()) if region_id is not None else []
    return next((each.code for each in path if each.level == "street"), "")
