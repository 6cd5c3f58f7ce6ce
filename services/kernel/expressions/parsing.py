"""From a text to the parts of an expression: every name, function and kind is checked before anything is computed. Pure.

Precedence, loosest first: ``?:``, ``or``, ``and``, ``not``, one comparison, ``??``, ``+ -``, ``* / %``, a sign before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

from services.kernel.expressions.faults import ExpressionFault
from services.kernel.expressions.functions import CALLED, DAY_CALLS, FUNCTIONS, Function
from services.kernel.expressions.nodes import Binary, Call, Choose, Constant, Member, Minus, Name, Node, Not, Within
from services.kernel.expressions.tokens import Token, tokens_of
from services.kernel.expressions.values import KIND_WORDS, Kind

DEEPEST = 30
MOST_NODES = 400
_ORDERED: tuple[Kind, ...] = ("number", "day")


class Parser:
    """One reading of one text. ``names`` may be read under their own name or under their ``labels``."""

    def __init__(self, text: str, names: Mapping[str, Kind], labels: Mapping[str, str]) -> None:
        self.text = text
        self.names = names
        self.labels = labels
        self.called = {label: name for name, label in labels.items() if name in names} | {name: name for name in names}
        self.tokens = tokens_of(text)
        self.here = 0
        self.depth = 0
        self.nodes = 0

    def whole(self) -> Node:
        """Return the whole text as one node. Raises ``ExpressionFault``."""
        if len(self.tokens) == 1:
            raise ExpressionFault("expression_empty", "请填写算式。", 0)
        node = self._choice()
        if self.here < len(self.tokens) - 1:
            raise self._unexpected("前面的部分已经完整，这里缺少运算符")
        return node

    # -- moving along -------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.here]

    def _is(self, *signs: str) -> bool:
        return self.token.kind == "sign" and self.token.text in signs

    def _take(self, *signs: str) -> Token | None:
        token = self.token
        if not self._is(*signs):
            return None
        self.here += 1
        return token

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            raise self._unexpected(f"这里应是“{sign}”")

    def _unexpected(self, why: str) -> ExpressionFault:
        token = self.token
        if token.kind == "end":
            return ExpressionFault("expression_unfinished", f"算式没有写完：{why}。", token.at)
        return ExpressionFault("expression_shape", f"第 {token.at + 1} 个字“{token.text[:20]}”：{why}。", token.at)

    def _counted(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ExpressionFault("expression_too_large", f"算式超过 {MOST_NODES} 个部分，请拆成几条。", self.token.at)
        return node

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionFault("expression_too_deep", f"括号或条件套得太深，最多 {DEEPEST} 层。", self.token.at)

    # -- the grammar, loosest first -----------------------------------------------------------------------------------

    def _choice(self) -> Node:
        self._deeper()
        at = self.token.at
        node = self._either()
        if self._take("?"):
            _must(node, ("flag",), at, "问号前面要是一个条件")
            holding = self._choice()
            self._need(":")
            otherwise = self._choice()
            node = self._counted(Choose(node, holding, otherwise, _same(holding, otherwise, at, "两种结果")))
        self.depth -= 1
        return node

    def _either(self) -> Node:
        at, node = self.token.at, self._both()
        while token := self._take("or"):
            node = self._joined("or", node, at, self._both(), token)
        return node

    def _both(self) -> Node:
        at, node = self.token.at, self._negated()
        while token := self._take("and"):
            node = self._joined("and", node, at, self._negated(), token)
        return node

    def _joined(self, operator: str, left: Node, at: int, right: Node, token: Token) -> Node:
        _must(left, ("flag",), at, f"“{token.text}”两边都要是条件")
        _must(right, ("flag",), token.at, f"“{token.text}”两边都要是条件")
        return self._counted(Binary(operator, left, right, "flag"))

    def _negated(self) -> Node:
        token = self._take("not", "!")
        if token is None:
            return self._comparison()
        self._deeper()
        inner = self._negated()
        self.depth -= 1
        _must(inner, ("flag",), token.at, "“非”后面要是一个条件")
        return self._counted(Not(inner))

    def _comparison(self) -> Node:
        at, left = self.token.at, self._filled_up()
        if token := self._take("==", "!=", "<", "<=", ">", ">="):
            node = self._compared(token.text, left, self._filled_up(), token)
        elif self._is("true") and self.text[self.token.at] == "是":
            token = self.token
            self.here += 1
            node = self._compared("==", left, self._filled_up(), token)
        elif self._take("in"):
            node = self._membership(left, at)
        elif self._is("not") and self.tokens[self.here + 1].text == "in":
            self.here += 2
            node = self._counted(Not(self._membership(left, at)))
        else:
            return left
        if self._is("==", "!=", "<", "<=", ">", ">=", "in"):
            raise self._unexpected("比较不能连写，请用“and”连接两个比较")
        return node

    def _compared(self, operator: str, left: Node, right: Node, token: Token) -> Node:
        if operator in ("==", "!="):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, Constant) and one.kind is None:
                    asked = self._counted(Call("empty", (other,), "flag"))
                    return asked if operator == "==" else self._counted(Not(asked))
            if "texts" in (left.kind, right.kind):
                raise ExpressionFault("expression_kind", "多项选择请用 contains(…, …) 判断。", token.at)
        else:
            for side in (left, right):
                _must(side, _ORDERED, token.at, f"“{token.text}”只能比较数字或日期")
        _same(left, right, token.at, f"“{token.text}”两边")
        return self._counted(Binary(operator, left, right, "flag"))

    def _membership(self, left: Node, at: int) -> Node:
        opening = self._take("[", "(")
        if opening is None:
            raise self._unexpected("“in”后面要是列表，如 [1, 2]，或区间，如 [3..6)")
        first = self._filled_up()
        if self._take(".."):
            high = self._filled_up()
            closing = self._take("]", ")")
            if closing is None:
                raise self._unexpected("区间要用“]”或“)”结束")
            for part in (left, first, high):
                _must(part, _ORDERED, at, "区间只用于数字或日期")
                _same(left, part, at, "区间两边")
            return self._counted(Within(left, first, high, opening.text == "[", closing.text == "]"))
        if opening.text == "(":
            raise self._unexpected("列表要用方括号，如 [1, 2]")
        entries = [first]
        while self._take(","):
            entries.append(self._filled_up())
        self._need("]")
        for entry in entries:
            if entry.kind in (None, "texts"):
                raise ExpressionFault("expression_kind", "列表里不能有空值；判断没有填写请用 empty(…)。", at)
            _same(left, entry, at, "列表与前面的值")
        return self._counted(Member(left, tuple(entries)))

    def _filled_up(self) -> Node:
        at, node = self.token.at, self._sum()
        while self._take("??"):
            other = self._sum()
            node = self._counted(Binary("??", node, other, _same(node, other, at, "“??”两边")))
        return node

    def _sum(self) -> Node:
        at, node = self.token.at, self._product()
        while token := self._take("+", "-"):
            right = self._product()
            if token.text == "+" and "text" in (node.kind, right.kind):
                node = self._counted(Binary("+", node, right, _same(node, right, at, "“+”两边")))
            else:
                node = self._arithmetic(token, node, right)
        return node

    def _product(self) -> Node:
        node = self._signed()
        while token := self._take("*", "/", "%"):
            node = self._arithmetic(token, node, self._signed())
        if self._is("^"):
            raise self._unexpected("不支持乘方，请用乘法")
        return node

    def _arithmetic(self, token: Token, left: Node, right: Node) -> Node:
        for side in (left, right):
            _must(side, ("number",), token.at, f"“{token.text}”两边都要是数字")
        return self._counted(Binary(token.text, left, right, "number"))

    def _signed(self) -> Node:
        token = self._take("-", "+")
        if token is None:
            return self._single()
        self._deeper()
        inner = self._signed()
        self.depth -= 1
        _must(inner, ("number",), token.at, "正负号后面要是数字")
        return inner if token.text == "+" else self._counted(Minus(inner))

    def _single(self) -> Node:
        token = self.token
        if self._take("("):
            node = self._choice()
            self._need(")")
            return node
        if constant := self._take("true", "false", "null"):
            value = {"true": True, "false": False, "null": None}[constant.text]
            return self._counted(Constant(value, None if value is None else "flag"))
        if token.kind in ("number", "text", "name"):
            self.here += 1
            return self._counted(self._leaf(token))
        raise self._unexpected("这里应是一个值")

    def _leaf(self, token: Token) -> Node:
        if token.kind == "number":
            return Constant(Decimal(token.text), "number")
        if token.kind == "text":
            if not token.text.strip():
                raise ExpressionFault("expression_blank", "不能与空文字比较；判断没有填写请用 empty(…)。", token.at)
            return Constant(token.text.strip(), "text")
        if self._take("("):
            return self._day(token) if token.text in DAY_CALLS else self._call(token)
        name = self.called.get(token.text)
        if name is None:
            raise self._unknown(token)
        return Name(name, self.names[name])

    def _unknown(self, token: Token) -> ExpressionFault:
        shown = [self.labels.get(name, name) for name in self.names]
        near = get_close_matches(token.text, [*shown, *self.names], 1, 0.5)
        hint = f"是不是“{near[0]}”？" if near else f"可以用：{'、'.join(shown[:12])}{'等' if len(shown) > 12 else ''}。"
        hint = hint if self.names else "这里没有可以引用的项目，文字请加引号。"
        return ExpressionFault(
            "name_unknown", f"第 {token.at + 1} 个字：没有“{token.text[:40]}”这一项，{hint}", token.at
        )

    def _day(self, token: Token) -> Node:
        written = self.token
        try:
            if written.kind != "text":
                raise ValueError("a day is written as a text")
            day = date.fromisoformat(written.text)
        except ValueError as fault:
            raise ExpressionFault(
                "expression_day", f'第 {token.at + 1} 个字：日期要写成 date("2024-09-01")。', token.at
            ) from fault
        self.here += 1
        self._need(")")
        return Constant(day, "day")

    def _call(self, token: Token) -> Node:
        name = CALLED.get(token.text)
        if name is None:
            near = get_close_matches(token.text, CALLED, 1, 0.5)
            hint = f"，是不是“{near[0]}”？" if near else "。"
            message = f"第 {token.at + 1} 个字：没有“{token.text[:40]}”这个函数{hint}"
            raise ExpressionFault("function_unknown", message, token.at)
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._choice())
        return Call(name, self._fitting(FUNCTIONS[name], arguments, token), FUNCTIONS[name].gives)

    def _fitting(self, function: Function, arguments: list[Node], token: Token) -> tuple[Node, ...]:
        least = len(function.takes) - function.optional
        most = MOST_NODES if function.more else len(function.takes)
        if not least <= len(arguments) <= most:
            wanted = f"{least} 个" if least == most else f"至少 {least} 个"
            message = f"第 {token.at + 1} 个字：{token.text}(…) 要{wanted}值，这里有 {len(arguments)} 个。"
            raise ExpressionFault("function_arguments", message, token.at)
        for index, argument in enumerate(arguments):
            kinds = function.takes[min(index, len(function.takes) - 1)]
            _must(argument, kinds, token.at, f"{token.text}(…) 的第 {index + 1} 个值")
        if token.text in ("round", "四舍五入") and len(arguments) == 2:
            places = arguments[1]
            if not (isinstance(places, Constant) and places.value in {Decimal(n) for n in range(11)}):
                raise ExpressionFault("function_arguments", "小数位数要直接写 0 到 10 的整数。", token.at)
        return tuple(arguments)


def _must(node: Node, kinds: tuple[Kind, ...], at: int, where: str) -> None:
    if node.kind not in kinds:
        has = "空值" if node.kind is None else KIND_WORDS[node.kind]
        wanted = "或".join(KIND_WORDS[kind] for kind in kinds)
        raise ExpressionFault("expression_kind", f"第 {at + 1} 个字：{where}，应是{wanted}，这里是{has}。", at)


def _same(left: Node, right: Node, at: int, where: str) -> Kind | None:
    """Return the kind both have; a bare null takes the other's."""
    if left.kind is None or right.kind is None or left.kind == right.kind:
        return left.kind or right.kind
    message = f"第 {at + 1} 个字：{where}类型不同，一边是{KIND_WORDS[left.kind]}，一边是{KIND_WORDS[right.kind]}。"
    raise ExpressionFault("expression_kind", message, at)
