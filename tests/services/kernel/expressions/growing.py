"""Random expressions grown together with what they give: a second reading of the grammar that shares no code with the first."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

NAMES = {
    "age": "number",
    "beds": "number",
    "income": "number",
    "home": "text",
    "grade": "text",
    "poor": "flag",
    "alone": "flag",
}

# Each grown expression is (text, meaning); a meaning maps facts to a Fraction, a text, a flag, or None where it is unknown.


def _number(depth: int) -> st.SearchStrategy[tuple[str, Any]]:
    literal = st.decimals("0", "999", places=2, allow_nan=False).map(lambda d: (str(d), lambda f, d=d: Fraction(d)))
    name = st.sampled_from(["age", "beds", "income"]).map(lambda n: (n, lambda f, n=n: f[n]))
    if not depth:
        return literal | name
    inner = _number(depth - 1)
    signs = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
    pair = st.tuples(inner, st.sampled_from(sorted(signs)), inner).map(
        lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", lambda f, t=t: _known(signs[t[1]], t[0][1](f), t[2][1](f)))
    )
    minus = inner.map(lambda t: (f"(-{t[0]})", lambda f, t=t: _known(lambda a: -a, t[1](f))))
    choice = st.tuples(_flag(depth - 1), inner, inner).map(
        lambda t: (
            f"({t[0][0]} ? {t[1][0]} : {t[2][0]})",
            lambda f, t=t: t[1][1](f) if t[0][1](f) is True else t[2][1](f),
        )
    )
    return literal | name | pair | minus | choice


def _known(work: Any, *given: Any) -> Any:
    return None if any(value is None for value in given) else work(*given)


def _and(left: Any, right: Any) -> Any:
    return False if False in (left, right) else None if None in (left, right) else True


def _compared(depth: int) -> st.SearchStrategy[tuple[str, Any]]:
    signs = {
        "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    }  # fmt: skip
    number = _number(depth)
    numbers = st.tuples(number, st.sampled_from(sorted(signs)), number).map(
        lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", lambda f, t=t: _known(signs[t[1]], t[0][1](f), t[2][1](f)))
    )
    words = st.sampled_from(["静安", "黄浦", "a b", "x"])
    texts = st.tuples(st.sampled_from(["home", "grade"]), st.sampled_from(["==", "!="]), words).map(
        lambda t: (f'({t[0]} {t[1]} "{t[2]}")', lambda f, t=t: _known(signs[t[1]], f[t[0]], t[2]))
    )
    listed = st.tuples(st.sampled_from(["home", "grade"]), st.lists(words, min_size=1, max_size=3)).map(
        lambda t: (
            f"({t[0]} in [{', '.join(chr(34) + w + chr(34) for w in t[1])}])",
            lambda f, t=t: _known(lambda v: v in t[1], f[t[0]]),
        )
    )
    ends = st.tuples(number, st.integers(0, 50), st.integers(0, 50), st.sampled_from("[("), st.sampled_from(")]")).map(
        lambda t: (
            f"({t[0][0]} in {t[3]}{t[1]}..{t[1] + t[2]}{t[4]})",
            lambda f, t=t: _known(lambda v: _between(v, t), t[0][1](f)),
        )
    )
    return numbers | texts | listed | ends


def _between(value: Fraction, t: Any) -> bool:
    low, high = t[1], t[1] + t[2]
    above = value >= low if t[3] == "[" else value > low
    return above and (value <= high if t[4] == "]" else value < high)


def _flag(depth: int) -> st.SearchStrategy[tuple[str, Any]]:
    name = st.sampled_from(["poor", "alone"]).map(lambda n: (n, lambda f, n=n: f[n]))
    plain = name | st.sampled_from([("true", lambda f: True), ("false", lambda f: False)])
    if not depth:
        return plain
    inner = _flag(depth - 1)
    both = st.tuples(inner, inner).map(
        lambda t: (f"({t[0][0]} and {t[1][0]})", lambda f, t=t: _and(t[0][1](f), t[1][1](f)))
    )
    either = st.tuples(inner, inner).map(
        lambda t: (f"({t[0][0]} or {t[1][0]})", lambda f, t=t: _not(_and(_not(t[0][1](f)), _not(t[1][1](f)))))
    )
    opposite = inner.map(lambda t: (f"(not ({t[0]}))", lambda f, t=t: _not(t[1](f))))
    return plain | _compared(depth - 1) | both | either | opposite


def _not(value: Any) -> Any:
    return None if value is None else not value


conditions = st.deferred(lambda: _flag(3))
amounts = st.deferred(lambda: _number(3))


def facts(missing: bool) -> st.SearchStrategy[Mapping[str, Any]]:
    """Facts of all names; some of them left out when ``missing`` may occur."""
    kinds = {
        "number": st.decimals("-99", "99", places=1, allow_nan=False).map(Fraction),
        "text": st.sampled_from(["静安", "黄浦", "a b", "z"]),
        "flag": st.booleans(),
    }
    return st.fixed_dictionaries({n: kinds[k] | st.none() if missing else kinds[k] for n, k in NAMES.items()})
