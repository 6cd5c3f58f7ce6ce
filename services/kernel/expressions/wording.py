"""An expression said in Chinese, for those who keep rules and those whom a rule decided about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.kernel.expressions.functions import FUNCTIONS
from services.kernel.expressions.nodes import Binary, Call, Choose, Constant, Member, Minus, Name, Node, Not, Within
from services.kernel.expressions.values import said

_JOINTS = {
    "==": "为", "!=": "不为", "<": "小于", "<=": "小于等于", ">": "大于", ">=": "大于等于", "and": "且", "or": "或",
    "+": "加", "-": "减", "*": "乘以", "/": "除以", "%": "除以…的余数",
}  # fmt: skip
_DAY_JOINTS = {"<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}
_STRENGTH = {"or": 1, "and": 2, "??": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7}


@dataclass(frozen=True, slots=True)
class Speech:
    """How facts are called, and how the keys of their choices are."""

    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def words(self, node: Node) -> str:
        """Return a node in Chinese."""
        match node:
            case Name(name):
                return self.labels.get(name, name)
            case Constant(value):
                return said(value)
            case Not(inner):
                return self._opposite(inner)
            case Minus(inner):
                return f"负 {self._inside(inner, 8)}"
            case Choose(condition, holding, otherwise):
                return f"如果 {self.words(condition)}，取 {self.words(holding)}，否则取 {self.words(otherwise)}"
            case Member(inner, entries):
                return f"{self._inside(inner, 4)} 属于 {self._listed(inner, entries)}"
        return self._joined(node)

    def _joined(self, node: Within | Binary | Call) -> str:
        if isinstance(node, Within):
            return self._between(node)
        return self._pair(node) if isinstance(node, Binary) else self._call(node)

    def _opposite(self, node: Node) -> str:
        if isinstance(node, Member):
            return f"{self._inside(node.inner, 4)} 不属于 {self._listed(node.inner, node.entries)}"
        if isinstance(node, Call) and node.function == "empty":
            return f"{self._inside(node.arguments[0], 4)} 已填"
        return f"并非（{self.words(node)}）"

    def value(self, name: str, node: Node) -> str:
        """Return a constant compared with a fact, by the label of its choice where it has one."""
        if isinstance(node, Constant):
            return self.choices.get(name, {}).get(str(node.value), said(node.value))
        return self._inside(node, 4)

    def _beside(self, other: Node, node: Node) -> str:
        return self.value(other.name if isinstance(other, Name) else "", node)

    def _pair(self, node: Binary) -> str:
        if node.operator == "%":
            return f"{self._inside(node.left, 7)} 除以 {self._inside(node.right, 8)} 的余数"
        if node.operator == "??":
            return f"{self._inside(node.left, 5)}（未填时取 {self._inside(node.right, 5)}）"
        strength = _STRENGTH.get(node.operator)
        if strength is None:
            joint = _DAY_JOINTS.get(node.operator) if node.left.kind == "day" else None
            left, right = self._beside(node.right, node.left), self._beside(node.left, node.right)
            return f"{left} {joint or _JOINTS[node.operator]} {right}"
        left, right = self._inside(node.left, strength), self._inside(node.right, strength + (node.operator in "-/"))
        return f"{left} {_JOINTS[node.operator]} {right}"

    def _inside(self, node: Node, strength: int) -> str:
        """Return a part in brackets where it binds more loosely than what stands around it."""
        if isinstance(node, Binary):
            loose = _STRENGTH.get(node.operator, 4) < strength
        else:
            loose = isinstance(node, Choose) or (isinstance(node, Member | Within) and strength > 4)
        return f"（{self.words(node)}）" if loose else self.words(node)

    def _listed(self, inner: Node, entries: tuple[Node, ...]) -> str:
        return f"【{'、'.join(self._beside(inner, entry) for entry in entries)}】"

    def _between(self, node: Within) -> str:
        low, high = self._beside(node.inner, node.low), self._beside(node.inner, node.high)
        ends = f"{'含' if node.opens else '不含'} {low}，{'含' if node.closes else '不含'} {high}"
        return f"{self._inside(node.inner, 4)} 在 {low} 到 {high} 之间（{ends}）"

    def _call(self, node: Call) -> str:
        function = FUNCTIONS[node.function]
        given = [self._inside(argument, 8) for argument in node.arguments]
        if node.function in ("contains", "startsWith", "endsWith"):
            given[1] = self._beside(node.arguments[0], node.arguments[1])
        if node.function == "round" and len(given) == 1:
            return f"{given[0]} 四舍五入到整数"
        if function.more:
            return function.words.replace("{*}", "、".join(given))
        return function.words.format(*given)
