"""The declared ledgers, found in the ``ledgers`` module of every installed app."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import Forbidden, NotFound
from geo.scope import Scope
from services.access.queries import holds_citywide
from services.kernel.spec import LedgerSpec


@cache
def ledgers() -> dict[str, LedgerSpec]:
    """Return all declared ledgers by key, in the order of the apps; two with the same key are a programming error."""
    found: dict[str, LedgerSpec] = by_key(declarations("ledgers", "LEDGERS"), "ledger")
    for spec in found.values():
        if spec.intake and any(field.masked for field in spec.intake.fields):
            # rows to be mended keep their cells as they were typed
            raise ValueError(f"the intake of the ledger {spec.key} would keep sensitive values in plain")
        kept_back = {column.key for column in spec.columns if column.masked or column.sealed}
        if any(kept_back & set(each.values.values()) for each in spec.forms):
            raise ValueError(f"a form begun from the ledger {spec.key} would begin with what is shown in part only")
    return found


def ledgers_for(scope: Scope) -> list[LedgerSpec]:
    """Return the ledgers that a scope may open."""
    return [spec for spec in ledgers().values() if may_open(spec, scope)]


def ledger_of(key: str, *, scope: Scope) -> LedgerSpec:
    """Return a ledger by key; raises ``NotFound``, and ``Forbidden`` for one that the scope may not open."""
    spec = ledgers().get(key)
    if spec is None:
        raise NotFound("ledger_unknown", "没有这份台账，请从“办理首页”里选一份。")
    if not may_open(spec, scope):
        raise Forbidden("duty_missing", "您的账号没有这项权限。需要的话可向上级管理员申请。", duty=spec.duty)
    return spec


def may_open(spec: LedgerSpec, scope: Scope) -> bool:
    """Say whether a scope holds the duty of a ledger, over the whole city where its rows belong to no place."""
    if spec.region or spec.organisation or spec.subject:
        return scope.holds(spec.duty)
    return "" in scope.paths or holds_citywide(scope, spec.duty)
