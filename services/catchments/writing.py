"""Reads what districts write: 武夷路1-199号（单号）、405弄1-30号、1018弄全弄，除25号外. Pure.

Nothing is guessed: what cannot be read, runs backwards or may mean two things is a ``Fault`` with its place in the text, and what
was read beside it stands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from services.catchments.doors import EVERY_ANNEX, Counts, Parity, Rule, Span, Stretch

LONGEST: Final = 4_000
HIGHEST: Final = 99_999
REASONS: Final = {
    "no_road": "前面没有写路名，请写全，如“武夷路12号”。",
    "backwards": "前大后小，请把小的写在前面；如果是附号，请写成“18号甲”这样。",
    "whose": "不清楚是弄里的号还是路上的号，请把路名或弄写全。",
    "unreadable": "没有读懂，请按“路名+号或弄”写，用顿号隔开。",
    "parity": "两头和单双对不上，这一段里一个号也没有。",
    "too_high": f"号码最大 {HIGHEST}，请核对。",
    "too_long": f"一条最多 {LONGEST} 个字，请拆成几条。",
    "nothing": "没有写地址，请填写，或删掉这一条。",
    "only_except": "只写了“除外”，没有写包括哪里，请补上。",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A piece of the text that is no rule: ``written`` is ``text[start:end]`` after folding, ``reason`` a key of ``REASONS``."""

    reason: str
    written: str
    start: int
    end: int

    @property
    def said(self) -> str:
        """Return the sentence for people."""
        return f"“{self.written}”{REASONS[self.reason]}" if self.written else REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it was read: the stretches it covers, those it sets aside, and what is wrong with it."""

    covers: tuple[Stretch, ...]
    excepts: tuple[Stretch, ...]
    faults: tuple[Fault, ...]

    def rule(self, target: str) -> Rule:
        """Return the rule for a kindergarten; for readings without faults."""
        return Rule(target, self.covers, self.excepts)


_PARITY: Final = r"(?P<parity>单弄|双弄|弄单|弄双|单号|双号|奇数|偶数|单数|双数|单|双)"
_SIDE: Final = re.compile(rf"\(?{_PARITY}\)?")
_ROAD: Final = re.compile(
    r"(?P<road>[\u4e00-\u9fff]{1,14}?(?:公路|大道|路|街)(?:[东南西北]段)?)"
    r"(?=全|整|[单双奇偶]|[\d(]|$|[以至起弄号、,;。\n除]|不含|含)"
)
_ANNEXES: Final = re.compile(r"\(?(?P<annexes>不含附号|含附号)\)?")
_WHOLE: Final = re.compile(r"(?:全路|全弄|整弄|全部|整条|全)(?P<unit>号|弄)?")
_ANNEX: Final = r"(?:附(?P<annexed>\d{1,3})号?|(?P<stem>[甲乙丙丁戊己庚辛壬癸A-Z]))"
_RANGE: Final = re.compile(r"(?P<low>\d+)(?P<low_unit>号|弄)?-(?P<high>\d+)(?P<unit>号|弄)?")
_OPEN: Final = re.compile(r"(?P<low>\d+)(?P<unit>号|弄)?(?P<way>\(?(?:及以上|以上|以下|及以下|至底|到底|起)\)?)")
_ONE: Final = re.compile(rf"(?P<low>\d+)(?P<unit>号|弄)?{_ANNEX}?")
_EXCEPT: Final = re.compile(r"\(?除(?!外)(?P<what>[^()]+?)(?:以外|之外|外)\)?")
_BETWEEN: Final = re.compile(r"[、,;。\n\s]+|(?<=[号弄)\d])[及和与]")
_ODD: Final = frozenset({"单弄", "弄单", "单号", "奇数", "单数", "单"})


@dataclass(slots=True)
class _Item:
    """One stretch on its way: ``bare`` while a later number may say its unit, ``whose`` when lane or road is not clear."""

    stretch: Stretch
    unit: str
    start: int
    end: int
    bare: bool = False
    whose: bool = False


def fold(text: str) -> str:
    """Return a text in one form: narrow signs, one kind of dash, no blanks within."""
    folded = unicodedata.normalize("NFKC", text)
    folded = re.sub(r"[‐‑‒–—―−~〜～﹣]+", "-", folded)
    folded = re.sub(r"(?<=\d)(号|弄)?\s*[至到]\s*(?=\d)", lambda found: f"{found[1] or ''}-", folded)
    folded = re.sub(r"(?<!\d)[^\S\n]+|[^\S\n]+(?!\d)", "", folded)
    return re.sub(r"-+", "-", folded).upper().strip()


def read_rule(text: str) -> Reading:
    """Return what a district wrote in one cell, stretch by stretch, with its faults."""
    folded = fold(text)
    if not folded:
        return Reading((), (), (Fault("nothing", "", 0, 0),))
    if len(folded) > LONGEST:
        return Reading((), (), (Fault("too_long", "", 0, LONGEST),))
    reader = _Reader(folded)
    reader.read()
    if not reader.covers and not reader.faults:
        reader.faults.append(Fault("only_except", "", 0, len(folded)))
    return Reading(tuple(reader.covers), tuple(reader.excepts), tuple(sorted(reader.faults, key=lambda one: one.start)))


class _Reader:
    """Goes through a text once, remembering the road and the lane that were named last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.road = ""
        self.inside: int | None = None
        """The lane whose numbers were named last; what follows may stand in it or on the road."""
        self.listed: int | None = None
        """The lane within which a list of bare numbers goes on: 405弄1、3、5号."""
        self.around: int | None = None
        """The lane that exceptions without one of their own speak of."""
        self.covers: list[Stretch] = []
        self.excepts: list[Stretch] = []
        self.faults: list[Fault] = []
        self._waiting: list[_Item] = []
        """Bare numbers of a list, whose unit the next one says: 18、20、22号."""

    def read(self) -> None:
        at = 0
        while at < len(self.text):
            between = _BETWEEN.match(self.text, at)
            if between:
                at = between.end()
                continue
            except_ = _EXCEPT.match(self.text, at)
            at = self._except(except_) if except_ else self._item(at)
        self._settle("")

    def _item(self, at: int) -> int:
        start = at
        road = _ROAD.match(self.text, at)
        if road:
            self._settle("")
            self.road, at = road["road"], road.end()
            self.inside = self.listed = self.around = None
        found, end = self._stretch(at, named=bool(road))
        if found is None:
            end = max(end, self._until_break(at))
            self._fault("unreadable" if self.road else "no_road", start, end)
            return end
        found.start = start
        if not self.road:
            self._fault("no_road", start, end)
            return end
        fault = self._wrong(found)
        if fault:
            self._fault(fault, start, end)
        elif found.bare:
            self._waiting.append(found)
        else:
            self._settle(found.unit)
            span = found.stretch.span
            # One number is of its own side: 18号（双号） is 18号.
            plain = replace(span, parity="") if span.low == span.high else span
            self.covers.append(replace(found.stretch, span=plain))
        return end

    def _stretch(self, at: int, *, named: bool) -> tuple[_Item | None, int]:
        """Return the stretch that begins here and where it ends; ``named`` when the road stands right before it."""
        inside = re.compile(r"(?P<lane>\d+)弄(?=\(?(?:\d|[单双奇偶]))").match(self.text, at)
        if inside and not re.compile(r"\d+弄-?\d+弄").match(self.text, at):
            return self._inside(inside)
        for pattern in (_RANGE, _OPEN, _ONE):
            found = pattern.match(self.text, at)
            if found:
                return self._numbers(found, pattern is _ONE)
        whole = _WHOLE.match(self.text, at)
        if not whole and not named:
            return None, at
        end = whole.end() if whole else at
        unit = (whole["unit"] or "") if whole else ""
        self.inside = self.listed = self.around = None
        return self._sided(Stretch(self.road), unit, at, end)

    def _inside(self, found: re.Match[str]) -> tuple[_Item | None, int]:
        """Read numbers within a lane: 405弄1-30号（单号）, 405弄(双号)."""
        lane = int(found["lane"][:9])
        self.inside = self.around = lane
        self.listed = None
        at = found.end()
        side = _SIDE.match(self.text, at)
        if side and "弄" not in side["parity"]:
            span = Span(parity=_parity(side["parity"]))
            return self._annexes(Stretch(self.road, span, "number", lane), "号", at, side.end())
        for pattern in (_RANGE, _OPEN, _ONE):
            numbers = pattern.match(self.text, at + (self.text[at] == "("))
            if numbers and "弄" not in (numbers["unit"] or ""):
                item, end = self._numbers(numbers, pattern is _ONE, lane)
                closed = end < len(self.text) and self.text[at] == "(" and self.text[end] == ")"
                return item, end + closed
        return None, at

    def _numbers(self, found: re.Match[str], single: bool, lane: int | None = None) -> tuple[_Item | None, int]:
        groups, end = found.groupdict(), found.end()
        low, unit = int(found["low"][:9]), groups.get("unit") or groups.get("low_unit") or ""
        high: int | None = int(groups["high"][:9]) if groups.get("high") else low
        if groups.get("way"):
            low, high = (1, low) if "以下" in groups["way"] else (low, None)
        if groups.get("low_unit") and groups.get("unit") and groups["low_unit"] != groups["unit"]:
            return None, end
        if lane is None and unit != "弄":
            lane = self.listed
        annex = groups.get("stem") or (f"附{groups['annexed']}" if groups.get("annexed") else EVERY_ANNEX)
        if lane is not None:
            self.listed = lane if single and not unit else None
            stretch = Stretch(self.road, Span(low, high), "number", lane, annex)
            return self._sided(stretch, "号", found.start(), end)
        if unit == "弄":
            return self._lanes(Span(low, high), single, found.start(), end)
        whose = self.inside is not None
        item, end = self._sided(Stretch(self.road, Span(low, high), annex=annex), unit, found.start(), end)
        item.whose, item.bare = whose, single and not unit and not item.stretch.span.parity
        self.around = self.inside
        return item, end

    def _lanes(self, span: Span, single: bool, start: int, end: int) -> tuple[_Item, int]:
        """Read whole lanes: 405弄, 405弄全弄, 100-300弄（双号）."""
        whole = re.compile(r"\(?(?:全弄|整弄|全部|全)\)?").match(self.text, end) if single else None
        self.inside = self.listed = None
        self.around = span.low if single else None
        return self._sided(Stretch(self.road, span), "弄", start, whole.end() if whole else end)

    def _sided(self, stretch: Stretch, unit: str, start: int, end: int) -> tuple[_Item, int]:
        """Add what stands behind numbers: the side, and whether annexed numbers count."""
        side = _SIDE.match(self.text, end)
        if side:
            end = side.end()
            stretch = replace(stretch, span=replace(stretch.span, parity=_parity(side["parity"])))
            if "弄" in side["parity"] and not unit:
                unit = "弄"
        if stretch.lane is None:
            stretch = replace(stretch, counts=_counts(unit))
        return self._annexes(stretch, unit, start, end)

    def _annexes(self, stretch: Stretch, unit: str, start: int, end: int) -> tuple[_Item, int]:
        annexes = _ANNEXES.match(self.text, end)
        if annexes:
            end = annexes.end()
            if annexes["annexes"] == "不含附号":
                stretch = replace(stretch, annex="")
        return _Item(stretch, unit, start, end), end

    def _wrong(self, item: _Item) -> str:
        span = item.stretch.span
        if item.whose:
            return "whose"
        if max(span.low, span.high or 0, item.stretch.lane or 0) > HIGHEST:
            return "too_high"
        if span.high is not None and span.high < span.low:
            return "backwards"
        if span.high is not None and not any(map(span.holds, range(span.low, min(span.high, span.low + 1) + 1))):
            return "parity"
        return ""

    def _settle(self, unit: str) -> None:
        """Give the bare numbers of a list the unit that was said after them; without one they count houses and lanes."""
        for item in self._waiting:
            self.covers.append(replace(item.stretch, counts=_counts(unit)))
        self._waiting.clear()

    def _except(self, found: re.Match[str]) -> int:
        """Read what is set aside; a bare number belongs to the lane or the road named last."""
        self._settle("")
        inner = _Reader(found["what"] if self.around is None else self._within(found["what"], self.around))
        inner.road = self.road
        inner.read()
        for fault in inner.faults:
            self._fault(fault.reason, found.start(), found.end())
        self.excepts += inner.covers
        return found.end()

    def _within(self, what: str, lane: int) -> str:
        """Return an exception with the lane written before each number that names none: 除5号、7号外 of 405弄."""
        pieces = [piece for piece in _BETWEEN.split(what) if piece]
        named = [piece if "弄" in piece or _ROAD.match(piece) else f"{lane}弄{piece}" for piece in pieces]
        return "、".join(named)

    def _until_break(self, at: int) -> int:
        found = _BETWEEN.search(self.text, at)
        return found.start() if found and found.start() > at else (found.end() if found else len(self.text))

    def _fault(self, reason: str, start: int, end: int) -> None:
        end = max(end, start + 1)
        self.faults.append(Fault(reason, self.text[start:end][:60], start, end))


def _parity(word: str) -> Parity:
    return "odd" if word in _ODD else "even"


def _counts(unit: str) -> Counts:
    return "number" if unit == "号" else "lane" if unit == "弄" else "both"
