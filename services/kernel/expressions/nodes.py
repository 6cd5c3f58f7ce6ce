"""The parts an expression is made of, each knowing its kind; ``None`` is the kind of a bare ``null``. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.expressions.values import Kind, Value


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the text."""

    value: Value
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Name:
    """A fact that is read."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    inner: Node
    kind: Kind = "flag"


@dataclass(frozen=True, slots=True)
class Minus:
    """A number with the other sign."""

    inner: Node
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two parts joined by one of ``or and == != < <= > >= + - * / % ??``."""

    operator: str
    left: Node
    right: Node
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a value is one of several."""

    inner: Node
    entries: tuple[Node, ...]
    kind: Kind = "flag"


@dataclass(frozen=True, slots=True)
class Within:
    """Whether a value lies between two others; ``opens`` and ``closes`` say that the ends belong to it."""

    inner: Node
    low: Node
    high: Node
    opens: bool
    closes: bool
    kind: Kind = "flag"


@dataclass(frozen=True, slots=True)
class Choose:
    """One of two values, by a condition."""

    condition: Node
    holding: Node
    otherwise: Node
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the allow-list."""

    function: str
    arguments: tuple[Node, ...]
    kind: Kind


Node = Constant | Name | Not | Minus | Binary | Member | Within | Choose | Call


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return the parts directly below a node."""
    match node:
        case Not(inner) | Minus(inner):
            return (inner,)
        case Binary(_, left, right):
            return (left, right)
        case Member(inner, entries):
            return (inner, *entries)
        case Within(inner, low, high):
            return (inner, low, high)
        case Choose(condition, holding, otherwise):
            return (condition, holding, otherwise)
        case Call(_, arguments):
            return arguments
    return ()


def names_in(node: Node) -> frozenset[str]:
    """Return the facts that a node reads."""
    if isinstance(node, Name):
        return frozenset({node.name})
    return frozenset[str]().union(*(names_in(part) for part in parts_of(node)))
