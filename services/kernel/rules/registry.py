"""The rule sets that apps declare, found in the ``rules`` module of every installed app as its ``RULES``.

That is a tuple, or a function that returns one where sets follow from other declarations.
"""

from __future__ import annotations

import importlib
from functools import cache

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from geo.errors import NotFound
from services.kernel.rules.spec import RuleSetSpec


@cache
def rule_sets() -> dict[str, RuleSetSpec]:
    """Return the declared rule sets by key, in the order of the apps. Raises ``ValueError`` for two of one key."""
    found: dict[str, RuleSetSpec] = {}
    for config in apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, "rules"):
            continue
        told = importlib.import_module(f"{config.name}.rules").RULES
        for spec in told() if callable(told) else told:
            if spec.key in found:
                raise ValueError(f"two apps declare the rule set {spec.key}")
            found[spec.key] = spec
    return found


def rule_set_named(key: str) -> RuleSetSpec:
    """Return a declared rule set. Raises ``NotFound``."""
    spec = rule_sets().get(key)
    if spec is None:
        raise NotFound("rules_unknown", f"没有“{key[:60]}”这个规则集。")
    return spec
