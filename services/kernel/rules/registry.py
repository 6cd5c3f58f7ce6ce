"""The rule sets that apps declare, found in the ``rules`` module of every installed app as its ``RULES``.

That is a tuple, or a function that returns one where sets follow from other declarations.
"""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import NotFound
from services.kernel.rules.spec import RuleSetSpec


@cache
def rule_sets() -> dict[str, RuleSetSpec]:
    """Return the declared rule sets by key, in the order of the apps. Raises ``ValueError`` for two of one key."""
    return by_key(declarations("rules", "RULES"), "rule set")


def rule_set_named(key: str) -> RuleSetSpec:
    """Return a declared rule set. Raises ``NotFound``."""
    spec = rule_sets().get(key)
    if spec is None:
        raise NotFound("rules_unknown", f"没有“{key[:60]}”这个规则集。")
    return spec
