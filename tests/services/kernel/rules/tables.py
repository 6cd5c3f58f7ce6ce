"""Rule sets to test with, and random tables whose cells come with a second reading of their own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.spec import Fact, Hit, RuleSetSpec

AGE = Fact("age", "年龄", "number", unit="岁", whole=True)
HOME = Fact("home", "户籍", choices=(("local", "本市"), ("permit", "居住证"), ("other", "外省市")))
POOR = Fact("poor", "低保", "flag")
BORN = Fact("born", "出生日期", "day")
NEEDS = Fact("needs", "需要", "texts", choices=(("meal", "助餐"), ("bath", "助浴")))
STREET = Fact("street", "街镇")
WHO = Fact("who", "由谁办理", choices=(("district", "区民政局"), ("street", "街镇经办")))
POINTS = Fact("points", "得分", "number", unit="分")


def spec(
    hit: Hit = "first", inputs: tuple[Fact, ...] = (AGE, HOME, POOR), outputs: tuple[Fact, ...] = (WHO, POINTS)
) -> RuleSetSpec:
    return RuleSetSpec("test.who", "谁来办", inputs, outputs, hit)


def sheet(
    *rows: str, asks: tuple[str, ...] = ("age", "home", "poor"), gives: tuple[str, ...] = ("who", "points")
) -> Sheet:
    """Make a table of rows written ``test | test | test => result | result``."""
    lines = []
    for number, row in enumerate(rows, 1):
        tests, _, results = row.partition("=>")
        given = [cell.strip() for cell in results.split("|")]
        given += [""] * (len(gives) - len(given))
        lines.append(Line(f"r{number}", tuple(cell.strip() for cell in tests.split("|")), tuple(given)))
    return Sheet(asks, gives, tuple(lines))


Cell = tuple[str, Callable[[Any], bool]]


def _there(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is not None and test(value)


def _ages() -> st.SearchStrategy[Cell]:
    number = st.integers(0, 12)
    compared = st.tuples(st.sampled_from([">", ">=", "<", "<="]), number).map(
        lambda t: (f"{t[0]} {t[1]}", _there(lambda v: bool(eval(f"v {t[0]} {t[1]}", {"v": v}))))  # noqa: S307
    )
    stretch = st.tuples(number, st.integers(1, 5), st.sampled_from("[("), st.sampled_from(")]")).map(
        lambda t: (
            f"{t[2]}{t[0]}..{t[0] + t[1]}{t[3]}",
            _there(
                lambda v: (
                    t[0] <= v <= t[0] + t[1]
                    and not (t[2] == "(" and v == t[0])
                    and not (t[3] == ")" and v == t[0] + t[1])
                )
            ),
        )
    )
    listed = st.lists(number, min_size=1, max_size=3).map(lambda n: ("，".join(map(str, n)), _there(lambda v: v in n)))
    but = st.lists(number, min_size=1, max_size=2).map(
        lambda n: ("非 " + ",".join(map(str, n)), _there(lambda v: v not in n))
    )
    return compared | stretch | listed | but | _any()


def _any() -> st.SearchStrategy[Cell]:
    cells: list[Cell] = [
        ("-", lambda v: True),
        ("", lambda v: True),
        ("未填", lambda v: v is None),
        ("已填", lambda v: v is not None),
    ]
    return st.sampled_from(cells)


def _homes() -> st.SearchStrategy[Cell]:
    labels = dict(HOME.choices)
    keys = st.lists(st.sampled_from(sorted(labels)), min_size=1, max_size=2, unique=True)
    listed = keys.map(lambda k: ("、".join(labels[key] for key in k), _there(lambda v: v in k)))
    but = keys.map(lambda k: ("不是 " + ",".join(labels[key] for key in k), _there(lambda v: v not in k)))
    return listed | but | _any()


def _flags() -> st.SearchStrategy[Cell]:
    cells: list[Cell] = [("是", _there(lambda v: v is True)), ("否", _there(lambda v: v is False))]
    return st.sampled_from(cells) | _any()


rows = st.lists(st.tuples(_ages(), _homes(), _flags()), min_size=1, max_size=7)
cases = st.fixed_dictionaries(
    {
        "age": st.integers(0, 18).map(Decimal) | st.none(),
        "home": st.sampled_from(["local", "permit", "other"]) | st.none(),
        "poor": st.booleans() | st.none(),
    }
)


def grown(drawn: list[tuple[Cell, Cell, Cell]]) -> Sheet:
    """Make the table of random rows; the points of each row are its number."""
    lines = (Line(f"r{n}", tuple(text for text, _ in row), ("", str(n))) for n, row in enumerate(drawn, 1))
    return Sheet(("age", "home", "poor"), ("who", "points"), tuple(lines))


def read_again(drawn: list[tuple[Cell, Cell, Cell]], case: dict[str, Any]) -> list[int]:
    """Return the rows that apply, by the second reading."""
    values = (case["age"], case["home"], case["poor"])
    return [
        n for n, row in enumerate(drawn, 1) if all(test(value) for (_, test), value in zip(row, values, strict=True))
    ]
