"""What figures come to in sentences that are true of every set of them; months and short names."""

from __future__ import annotations

import datetime as dt

import pytest

from geo.errors import BadInput
from layers.choropleths.findings import Shown, finding, leading, trend_finding
from layers.choropleths.spec import (
    NONE,
    Area,
    Figure,
    Measure,
    Month,
    Place,
    last_day,
    month_before,
    month_of,
    short_name,
)

NAMES = ("崇明区", "金山区", "奉贤区", "青浦区", "松江区", "嘉定区", "浦东新区", "黄浦区")


def shown(
    *values: float | str | None, measure: Measure = Measure.VALUE, total: float | None = None, ratio: bool = False
) -> Shown:
    areas = [
        Area(
            Place(str(at), f"c.{at}.", "district", NAMES[at]),
            Figure.of(None, hidden=True) if value == "hidden" else Figure.of(value),  # type: ignore[arg-type]
            NONE,
        )
        for at, value in enumerate(values)
    ]
    unit = "%" if ratio or measure is Measure.SHARE else "处"
    return Shown(areas, "区", "全市", measure, unit, total, ratio)


@pytest.mark.parametrize(
    ("one", "ranking", "title"),
    [
        (shown(), "全市没有更细的区划", "全市没有更细的区划"),
        (shown(None, None), "全市没有数据", "全市没有数据"),
        (shown("hidden", "hidden"), "各区的数字都不公布", "各区的数字都不公布"),
        (shown("hidden", None), "各区没有能公布的数字", "各区没有能公布的数字"),
        (shown(5), "崇明：5 处", "1 个区一样，都是 5 处"),
        (shown(5, None, "hidden"), "只有崇明有数据", "全市只有 1 个区有数据"),
        (shown(5, 5, 5), "3 个区都是 5 处", "3 个区一样，都是 5 处"),
        (shown(9, 9, 1), "2 个区并列最多", "最多的是最少的奉贤的 9 倍"),
        (shown(1234, 7, 3), "崇明最多", "最多的崇明是最少的奉贤的 411 倍"),
        (shown(14, 2, 4), "崇明最多", "最多的崇明是最少的金山的 7 倍"),
        (shown(3, 0, 0, 2), "崇明最多", "2 个区一处也没有"),
        (shown(0, 0, 0), "3 个区都是 0 处", "3 个区一样，都是 0 处"),
        (shown(90, 80, 70, 10, 9, 8, total=270), "崇明、金山、奉贤最多", "前三位占全市的 89%"),
        (shown(90, 80, 70, 70, 70, 60, total=440), "崇明、金山最多", "最多的崇明是最少的嘉定的 1.5 倍"),
        (shown(11, 10, 9, 8.9, 8.8, 8.7, measure=Measure.RATE), "崇明、金山、奉贤最高", "相差不大：从 8.7 处到 11 处"),
        (shown(30, 20, 12, 4.5, 4, total=18.2, ratio=True), "崇明、金山、奉贤最高", "2 个区高于全市的 18.2 %"),
        (shown(30, 0, 0, total=10, ratio=True), "崇明最高", "2 个区是 0"),
        (shown(30, 20, 10, ratio=True), "崇明最高", "最高的崇明是最低的奉贤的 3 倍"),
        (shown(6, 3, 2, "hidden"), "崇明最多", "有数据的 3 个区里，最多的崇明是最少的奉贤的 3 倍"),
        (shown(3, -2, 0, measure=Measure.CHANGE), "崇明增加最多", "1 个区增加，1 个区减少，1 个区不变"),
        (shown(-3, -2, -1, measure=Measure.CHANGE), "崇明减少最多", "3 个区减少"),
        (shown(0, -2, -2, measure=Measure.CHANGE), "都没有增加", "2 个区减少，1 个区不变"),
        (shown(4, 4, -2, measure=Measure.CHANGE), "几处增加得一样多", "2 个区增加，1 个区减少"),
    ],
)  # fmt: skip
def test_titles_are_true_of_the_figures(one: Shown, ranking: str, title: str) -> None:
    assert leading(one) == ranking
    assert finding(one) == title


def months(*values: float | None) -> list[Month]:
    return [Month(dt.date(2026, at + 1, 1), Figure.of(value)) for at, value in enumerate(values)]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (months(30, 40, 33), "增加 10%：2026年1月 30 件，2026年3月 33 件"),
        (months(None, 40, 30), "减少 25%：2026年2月 40 件，2026年3月 30 件"),
        (months(0, 5), "从没有到有：2026年1月 0 件，2026年2月 5 件"),
        (months(1000, 1001), "几乎没变：2026年1月 1,000 件，2026年2月 1,001 件"),
        (months(5, 9, 5), "首尾相同：2026年1月 5 件，2026年3月 5 件"),
        (months(5, None), "还看不出走势：有数据的月份不到两个"),
        (months(), "还看不出走势：有数据的月份不到两个"),
    ],
)
def test_the_title_of_the_line_says_its_ends(line: list[Month], title: str) -> None:
    assert trend_finding(line, "件") == title


def test_the_title_of_the_line_of_a_ratio_says_points() -> None:
    assert trend_finding(months(31.2, 26.3), "%", ratio=True).startswith("降低 4.9 个百分点：")
    assert trend_finding(months(2, 3.5), "件/百处", ratio=True).startswith("升高 1.5 件/百处：")
    assert trend_finding(months(0, 3.5), "%", ratio=True).startswith("从没有到有：")


def test_months_are_read_and_counted_back() -> None:
    assert month_of("2026-02") == dt.date(2026, 2, 1)
    assert last_day(dt.date(2028, 2, 1)) == dt.date(2028, 2, 29)
    assert month_before(dt.date(2026, 1, 1)) == dt.date(2025, 12, 1)
    assert month_before(dt.date(2026, 3, 1), 15) == dt.date(2024, 12, 1)
    for text in ("2026-13", "2026-2", "1999-01", "", "2026-02-01", "２０２６-02"):
        with pytest.raises(BadInput):
            month_of(text)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("浦东新区", "浦东"), ("黄浦区", "黄浦"), ("老西门街道", "老西门"), ("陈家镇", "陈家镇"),
        ("望舒居民委员会", "望舒"), ("望舒居委会", "望舒"), ("江区", "江区"),
    ],
)  # fmt: skip
def test_short_names_keep_what_tells_regions_apart(name: str, short: str) -> None:
    assert short_name(name) == short
