"""What figures come to, in a sentence that is true of them: which lead, by how much, how many have nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from layers.choropleths.spec import Area, Measure, Month, Standing
from layers.styles.legend import figure

NAMED: Final = 3
"""How many regions a sentence names at most."""
LARGE_SHARE: Final = 40
"""From how many percent on the first three are worth a sentence."""
APART: Final = 1.5
"""From how many times the smallest on the greatest is worth a sentence."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sentence is about: the regions, what they are called together (区, 街镇), the larger region, measure and unit.

    ``total`` is the figure of the larger region, ``None`` where it is not told or of another measure; a ``ratio`` does not add up
    to it.
    """

    areas: Sequence[Area]
    level: str
    of: str
    measure: Measure
    unit: str
    total: float | None = None
    ratio: bool = False

    @property
    def told(self) -> list[tuple[str, float]]:
        """Return the names and values that are told, the greatest first."""
        found = [(area.place.short, area.figure.value) for area in self.areas if area.figure.value is not None]
        return sorted(found, key=lambda one: -one[1])

    @property
    def hidden(self) -> int:
        """Return of how many regions the figure is kept back."""
        return sum(area.figure.standing is Standing.HIDDEN for area in self.areas)

    @property
    def most(self) -> str:
        """Return the word for the greatest."""
        return "最多" if self.measure is Measure.VALUE and not self.ratio else "最高"

    @property
    def least(self) -> str:
        """Return the word for the smallest."""
        return "最少" if self.measure is Measure.VALUE and not self.ratio else "最低"


def leading(shown: Shown) -> str:
    """Return which regions lead: the title of the ranking."""
    told = shown.told
    if not told:
        return _nothing(shown)
    if len(told) == 1:
        return f"只有{told[0][0]}有数据" if len(shown.areas) > 1 else f"{told[0][0]}：{_said(told[0][1], shown)}"
    if told[0][1] == told[-1][1]:
        return f"{len(told)} 个{shown.level}都是 {_said(told[0][1], shown)}"
    if shown.measure is Measure.CHANGE:
        return _changed(told)
    names = _first_names(told, NAMED if len(told) > NAMED + 1 else 1)
    if not names:
        same = sum(value == told[0][1] for _, value in told)
        return f"{same} 个{shown.level}并列{shown.most}"
    return f"{'、'.join(names)}{shown.most}"


def finding(shown: Shown) -> str:
    """Return what stands out: the title of the map."""
    told = shown.told
    if not told:
        return _nothing(shown)
    among = "" if len(told) == len(shown.areas) else f"有数据的 {len(told)} 个{shown.level}里，"
    if len(told) <= 2 < len(shown.areas):
        return f"{shown.of}只有 {len(told)} 个{shown.level}有数据"
    if shown.measure is Measure.CHANGE:
        return _ups_and_downs(shown, among)
    without = sum(value == 0 for _, value in told)
    if 0 < without < len(told):
        nothing = "是 0" if shown.ratio else f"一{shown.unit[:1]}也没有"
        return f"{among}{without} 个{shown.level}{nothing}"
    return _concentrated(shown) or _above(shown, among) or _apart(shown, among)


def trend_finding(months: Sequence[Month], unit: str, *, ratio: bool = False) -> str:
    """Return how a figure went from the first to the last month that has one: the title of the line."""
    told = [(month, month.figure.value) for month in months if month.figure.value is not None]
    if len(told) < 2:
        return "还看不出走势：有数据的月份不到两个"
    (first, before), (last, after) = told[0], told[-1]
    ends = f"{first.words} {figure(before)} {unit}，{last.words} {figure(after)} {unit}"
    if before == after:
        return f"首尾相同：{ends}"
    if before == 0:
        return f"从没有到有：{ends}"
    if ratio:
        word = "升高" if after > before else "降低"
        return f"{word} {figure(round(abs(after - before), 6))} {'个百分点' if unit == '%' else unit}：{ends}"
    word = "增加" if after > before else "减少"
    percent = round(100 * abs(after - before) / before)
    return f"{word} {percent:,}%：{ends}" if percent else f"几乎没变：{ends}"


def _nothing(shown: Shown) -> str:
    if not shown.areas:
        return f"{shown.of}没有更细的区划"
    if not shown.hidden:
        return f"{shown.of}没有数据"
    return f"各{shown.level}的数字都不公布" if shown.hidden == len(shown.areas) else f"各{shown.level}没有能公布的数字"


def _first_names(told: Sequence[tuple[str, float]], most: int) -> list[str]:
    """Return at most so many names from the greatest down, none of equals left out while another is named."""
    for count in range(most, 0, -1):
        if told[count - 1][1] > told[count][1]:
            return [name for name, _ in told[:count]]
    return []


def _changed(told: Sequence[tuple[str, float]]) -> str:
    name, most = told[0]
    if most <= 0:
        names = _first_names([(other, -value) for other, value in reversed(told)], 1)
        return f"{names[0]}减少最多" if names else "都没有增加"
    return f"{name}增加最多" if _first_names(told, 1) else "几处增加得一样多"


def _ups_and_downs(shown: Shown, among: str) -> str:
    ups = sum(value > 0 for _, value in shown.told)
    downs = sum(value < 0 for _, value in shown.told)
    same = len(shown.told) - ups - downs
    parts = [
        f"{count} 个{shown.level}{word}" for count, word in ((ups, "增加"), (downs, "减少"), (same, "不变")) if count
    ]
    return among + "，".join(parts)


def _concentrated(shown: Shown) -> str:
    """Return how much of all the first three have, where figures add up and it is much for so many regions."""
    told = shown.told
    if shown.ratio or shown.measure is not Measure.VALUE or not shown.total or len(told) < 2 * NAMED:
        return ""
    if told[NAMED - 1][1] == told[NAMED][1]:
        return ""
    percent = round(100 * sum(value for _, value in told[:NAMED]) / shown.total)
    return f"前三位占{shown.of}的 {percent}%" if LARGE_SHARE <= percent <= 100 else ""


def _above(shown: Shown, among: str) -> str:
    """Return how many regions are above the larger one, where their ratio may be compared with its own."""
    if not shown.ratio or shown.total is None:
        return ""
    above = sum(value > shown.total for _, value in shown.told)
    if not 0 < above < len(shown.told):
        return ""
    return f"{among}{above} 个{shown.level}高于{shown.of}的 {_said(shown.total, shown)}"


def _apart(shown: Shown, among: str) -> str:
    told = shown.told
    (top, most), (bottom, least) = told[0], told[-1]
    if most == least:
        return f"{among}{len(told)} 个{shown.level}一样，都是 {_said(most, shown)}"
    if least > 0 and most / least >= APART:
        top = f"的{top}" if most > told[1][1] else "的"
        bottom = f"的{bottom}" if least < told[-2][1] else "的"
        times = most / least
        times_said = f"{round(times):,}" if times >= 10 else f"{times:.1f}".removesuffix(".0")
        return f"{among}{shown.most}{top}是{shown.least}{bottom}的 {times_said} 倍".replace("的的", "的")
    return f"{among}相差不大：从 {_said(least, shown)}到 {_said(most, shown)}"


def _said(value: float, shown: Shown) -> str:
    return f"{figure(value)} {shown.unit}"
