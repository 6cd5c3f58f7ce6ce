"""An expression that has been read and checked: what it reads, what it gives, what it says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from services.kernel.expressions.evaluating import compiled, guarded
from services.kernel.expressions.faults import ExpressionFault
from services.kernel.expressions.nodes import Node, names_in
from services.kernel.expressions.parsing import Parser
from services.kernel.expressions.values import KIND_WORDS, Kind, Value, Values, values_of
from services.kernel.expressions.wording import Speech


class Expression:
    """A text of the closed grammar, checked against the facts it may read and compiled once.

    A missing fact is null: arithmetic with it gives null, a comparison with it is unknown, and what is unknown does not hold.
    """

    __slots__ = ("_kinds", "_node", "_run", "names", "text")

    def __init__(self, text: str, node: Node, kinds: Mapping[str, Kind]) -> None:
        """Compile checked parts; read texts by ``parse``."""
        self.text = text
        self._node = node
        self._run = compiled(node)
        self.names = names_in(node)
        self._kinds = {name: kinds[name] for name in self.names}

    @classmethod
    def parse(
        cls, text: str, names: Mapping[str, Kind], *, gives: Kind | None = None, labels: Mapping[str, str] | None = None
    ) -> Self:
        """Read a text that may name ``names`` (or the ``labels`` people know them by) and must give the kind ``gives``.

        Raises ``ExpressionFault`` with a code, a Chinese sentence and the position.
        """
        node = Parser(text, names, labels or {}).whole()
        if gives is not None and node.kind not in (gives, None):
            has = KIND_WORDS[node.kind] if node.kind else "空值"
            raise ExpressionFault("expression_gives", f"算式的结果应是{KIND_WORDS[gives]}，这里是{has}。", 0)
        return cls(text, node, names)

    @classmethod
    def condition(cls, text: str, names: Mapping[str, Kind], *, labels: Mapping[str, str] | None = None) -> Self:
        """Read a text that must be a condition. Raises ``ExpressionFault``."""
        return cls.parse(text, names, gives="flag", labels=labels)

    @property
    def kind(self) -> Kind | None:
        """What it gives; None for a bare null."""
        return self._node.kind

    def value(self, facts: Mapping[str, object]) -> Value:
        """Return what it gives for some facts: numbers as ``Decimal``, days as ``date``, None where something is missing.

        Raises ``ExpressionFault`` for a fact of another kind, a division by zero, a number or text beyond all bounds.
        """
        return guarded(self._run, values_of(self._kinds, facts))

    def holds(self, facts: Mapping[str, object]) -> bool:
        """Say whether a condition is known to hold. Raises ``ExpressionFault`` like ``value``, and where it is no condition."""
        if self.kind != "flag":
            raise ExpressionFault("expression_gives", "这不是一个条件，不能判断是否成立。", 0)
        return self.value(facts) is True

    def over(self, values: Values) -> Value:
        """Return what it gives for facts that ``values_of`` prepared: the same as ``value``, without reading them again."""
        return guarded(self._run, values)

    def words(self, labels: Mapping[str, str], choices: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """Return the expression in Chinese; ``choices`` names the labels of the keys of each fact's choices."""
        return Speech(labels, choices or {}).words(self._node)
