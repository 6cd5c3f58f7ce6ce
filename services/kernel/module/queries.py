"""Reads of modules: which there are for somebody, and what of each they may open."""

from __future__ import annotations

from dataclasses import dataclass

from geo.errors import Forbidden
from geo.scope import Scope
from services.kernel.forms.spec import FormSpec
from services.kernel.ledger.registry import ledgers_for, may_open
from services.kernel.module.registry import Module, module_named, modules
from services.kernel.rules.spec import RuleSetSpec
from services.kernel.spec import LedgerSpec
from services.kernel.workflow.spec import MatterSpec


@dataclass(frozen=True, slots=True)
class Parts:
    """What somebody may open of a module; ``matters`` are those whose cases they see, ``forms`` what they may fill in."""

    module: Module
    ledgers: tuple[LedgerSpec, ...]
    forms: tuple[FormSpec, ...]
    matters: tuple[MatterSpec, ...]
    rules: tuple[RuleSetSpec, ...]

    @property
    def words(self) -> str:
        """Return what there is for them, in words."""
        names = {"事项": self.matters, "填报": self.forms, "台账": self.ledgers, "规则": self.rules}
        return "、".join(name for name, found in names.items() if found)

    @property
    def any(self) -> bool:
        """Say whether there is anything for them."""
        return bool(self.ledgers or self.forms or self.matters or self.rules)


def modules_for(scope: Scope) -> list[Parts]:
    """Return the modules in which a scope may do something, in their order."""
    return [parts for module in modules().values() if (parts := _parts(module, scope)).any]


def ledgers_of_the_house(scope: Scope) -> list[LedgerSpec]:
    """Return the ledgers that a scope may open and that belong to no module."""
    of_modules = {spec.key for module in modules().values() for spec in module.ledgers}
    return [spec for spec in ledgers_for(scope) if spec.key not in of_modules]


def module_for(key: str, *, scope: Scope) -> Parts:
    """Return a module. Raises ``NotFound``, and ``Forbidden`` where there is nothing in it for the scope."""
    parts = _parts(module_named(key), scope)
    if not parts.any:
        raise Forbidden("duty_missing", "您的账号在这个业务里还没有可以办理的内容。需要的话可向上级管理员申请。")
    return parts


def _parts(module: Module, scope: Scope) -> Parts:
    return Parts(
        module,
        ledgers=tuple(spec for spec in module.ledgers if may_open(spec, scope)),
        forms=tuple(spec for spec in module.records if scope.holds(spec.duty or "forms.fill")),
        matters=tuple(spec for spec in module.matters if scope.holds(spec.duty)),
        rules=module.rules if scope.holds("rules.view") else (),
    )
