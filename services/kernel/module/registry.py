"""The business modules the house knows, and what belongs to each."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from geo.errors import NotFound
from layers.spec import LayerSpec
from services.access.roles import Duty
from services.kernel.forms.spec import FormSpec
from services.kernel.messages.spec import Event
from services.kernel.module.spec import Hook, ModuleSpec, check_module
from services.kernel.rules.spec import RuleSetSpec
from services.kernel.spec import LedgerSpec
from services.kernel.workflow.spec import MatterSpec

PARENT = "services.modules"


@dataclass(frozen=True, slots=True)
class Module:
    """A module with all that its package declares."""

    spec: ModuleSpec
    duties: tuple[Duty, ...]
    ledgers: tuple[LedgerSpec, ...]
    forms: tuple[FormSpec, ...]
    matters: tuple[MatterSpec, ...]
    rules: tuple[RuleSetSpec, ...]
    events: tuple[Event, ...]
    layers: tuple[LayerSpec, ...]

    @property
    def records(self) -> tuple[FormSpec, ...]:
        """Return the forms that are filled in by themselves, for no matter."""
        return tuple(form for form in self.forms if form.key not in {matter.form for matter in self.matters})


@cache
def modules() -> dict[str, Module]:
    """Return the declared modules by key, in their order.

    Raises ``ValueError`` for a module whose key is not the name of its package, that hooks what is not its own, or that names a
    function nobody wrote.
    """
    found = sorted(_declared(), key=lambda module: (module.spec.order, module.spec.key))
    return {module.spec.key: module for module in found}


def module_named(key: str) -> Module:
    """Return a module. Raises ``NotFound``."""
    found = modules().get(key)
    if found is None:
        raise NotFound("module_unknown", "没有这个业务模块，请从“业务目录”里选。")
    return found


def periodic() -> dict[str, dict[str, Any]]:
    """Return what the modules want done by the clock, as Celery's beat reads it. Raises ``ValueError`` for a key that two use."""
    found: dict[str, dict[str, Any]] = {}
    for module in modules().values():
        for each in module.spec.periodic:
            if each.key in found:
                raise ValueError(f"{each.key} is in the clock twice")
            found[each.key] = {"task": each.task, "schedule": each.every_s}
    return found


def function_named(name: str) -> Callable[..., Any]:
    """Return the function behind ``"package.module:function"``. Raises ``ValueError`` where there is none."""
    package, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(package), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"no function {name}") from error
    if not callable(found):
        raise ValueError(f"{name} is no function")
    return found  # type: ignore[no-any-return]


def _declared() -> Iterator[Module]:
    for config in apps.get_app_configs():
        parent, _, name = config.name.rpartition(".")
        if parent != PARENT or config.module is None:
            continue
        yield _module(name, config.module)


def _module(name: str, package: ModuleType) -> Module:
    spec: ModuleSpec = importlib.import_module(f"{package.__name__}.module").MODULE
    check_module(spec)
    if spec.key != name:
        raise ValueError(f"the module {spec.key} stands in the package {name}")

    def declared(file: str, values: str) -> tuple[Any, ...]:
        if not module_has_submodule(package, file):
            return ()
        return tuple(getattr(importlib.import_module(f"{package.__name__}.{file}"), values, ()))

    module = Module(
        spec,
        duties=declared("duties", "DUTIES"),
        ledgers=declared("ledgers", "LEDGERS"),
        forms=declared("forms", "FORMS"),
        matters=declared("workflows", "MATTERS"),
        rules=declared("rules", "RULES"),
        events=declared("message_events", "EVENTS"),
        layers=declared("map_layers", "LAYERS"),
    )
    _check_hooks(module)
    return module


def _check_hooks(module: Module) -> None:
    """Raise ``ValueError`` for a hook on what is not the module's own, and for a name behind which no function stands."""
    spec = module.spec
    _check_own(spec.key, spec.checked, {form.key for form in module.forms}, "form of its own")
    _check_own(spec.key, spec.recorded, {form.key for form in module.records}, "form of its own without a matter")
    _check_own(spec.key, spec.ended, {matter.key for matter in module.matters}, "matter of its own")
    for hook in (*spec.checked, *spec.recorded, *spec.ended):
        function_named(hook.calls)


def _check_own(key: str, hooks: tuple[Hook, ...], known: set[str], what: str) -> None:
    if strange := [hook.of for hook in hooks if hook.of not in known]:
        raise ValueError(f"{key}: {strange[0]} is no {what}")
