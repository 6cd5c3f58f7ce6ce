"""The matters the house knows, found in the ``workflows`` module of every installed app as its ``MATTERS``."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import NotFound
from services.kernel.expressions import Kind
from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.diagrams.drawing import draw
from services.kernel.workflow.diagrams.graph import graph_of
from services.kernel.workflow.spec import MatterSpec, check_matter


@cache
def matters() -> dict[str, MatterSpec]:
    """Return the declared matters by key, in the order of the apps.

    Raises ``ValueError`` for two of one key, and for a flow that the engine could not run.
    """
    found: dict[str, MatterSpec] = by_key(declarations("workflows", "MATTERS"), "matter")
    for spec in found.values():
        check_matter(spec)
        if faults := check_diagram(declared_diagram(spec), facts=dict(facts_of(spec))):
            raise ValueError(f"{spec.key}: {faults[0].code} at {faults[0].element}")
    return found


def matter_named(key: str) -> MatterSpec:
    """Return a declared matter. Raises ``NotFound``."""
    spec = matters().get(key)
    if spec is None:
        raise NotFound("matter_unknown", f"没有“{key[:60]}”这个事项。")
    return spec


def facts_of(spec: MatterSpec) -> frozenset[tuple[str, Kind]]:
    """Return the facts that the conditions of a matter may read, with their kinds."""
    return frozenset((fact.key, fact.kind) for fact in spec.facts)


def declared_diagram(spec: MatterSpec) -> str:
    """Return the diagram of the declared steps."""
    return draw(graph_of(spec.flow), name=spec.title)
