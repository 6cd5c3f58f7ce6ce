"""An expression's text cut into tokens; full-width signs and Chinese words stand for the same as the plain ones. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from services.kernel.expressions.faults import ExpressionFault

LONGEST = 2_000
LONGEST_NUMBER = 30

TokenKind = Literal["number", "text", "name", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: what it is, what it says in plain form, and where it starts."""

    kind: TokenKind
    text: str
    at: int


_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」"}
_SIGN = re.compile(r"\.\.|==|!=|<=|>=|&&|\|\||\?\?|[-+*/%^()\[\],?:<>=!]")
_FULL = {ord("！") + n: chr(ord("!") + n) for n in range(94)}
_FULL |= {ord("、"): ",", ord("×"): "*", ord("÷"): "/", ord("−"): "-", ord("\u3000"): " "}
_DOUBLE = {"≥": ">=", "≤": "<=", "≠": "!="}
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_WORDS = {
    "且": "and", "并且": "and", "或": "or", "或者": "or", "非": "not", "不是": "!=", "属于": "in", "是": "true", "否": "false",
    "空": "null", "为": "==", "不为": "!=", "&&": "and", "||": "or", "=": "==", "none": "null",
}  # fmt: skip
RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null"})


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, closed by one of kind ``end``. Raises ``ExpressionFault``."""
    if len(text) > LONGEST:
        raise ExpressionFault(
            "expression_too_long", f"算式有 {len(text)} 个字，最多 {LONGEST} 个，请拆成几条。", LONGEST
        )
    folded = text.translate(_FULL)
    found: list[Token] = []
    at = 0
    while at < len(text):
        if folded[at].isspace():
            at += 1
            continue
        token, at = _token(text, folded, at)
        found.append(token)
    found.append(Token("end", "", len(text)))
    return found


def _token(text: str, folded: str, at: int) -> tuple[Token, int]:
    if text[at] in _QUOTES:
        return _quoted(text, at)
    if text[at] in _DOUBLE:
        return Token("sign", _DOUBLE[text[at]], at), at + 1
    if match := _NUMBER.match(folded, at):
        return _number(match.group(), match.end(), folded, at)
    if match := _NAME.match(folded, at):
        word = _WORDS.get(match.group(), match.group())
        return Token("sign" if word in RESERVED or word in ("==", "!=") else "name", word, at), match.end()
    if match := _SIGN.match(folded, at):
        return Token("sign", _WORDS.get(match.group(), match.group()), at), match.end()
    raise ExpressionFault("expression_sign", f"第 {at + 1} 个字“{text[at]}”不能用在算式里。", at)


def _number(digits: str, end: int, folded: str, at: int) -> tuple[Token, int]:
    if _NAME.match(folded, end):
        raise ExpressionFault("expression_number", f"第 {end + 1} 个字：数字后面不能直接跟字母或汉字。", end)
    if len(digits) > LONGEST_NUMBER:
        raise ExpressionFault("expression_number", f"第 {at + 1} 个字：数字太长，最多 {LONGEST_NUMBER} 位。", at)
    return Token("number", digits, at), end


def _quoted(text: str, at: int) -> tuple[Token, int]:
    closing, here = _QUOTES[text[at]], at + 1
    said: list[str] = []
    while here < len(text):
        sign = text[here]
        if sign == closing:
            return Token("text", "".join(said), at), here + 1
        if sign == "\\" and here + 1 < len(text):
            here += 1
            sign = text[here]
        said.append(sign)
        here += 1
    raise ExpressionFault("expression_quote", f"第 {at + 1} 个字的引号没有配对，请补上“{closing}”。", at)


def quoted(text: str) -> str:
    """Return a text as it is written in an expression."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
