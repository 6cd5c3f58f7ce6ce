"""A run of characters between numbers, taken apart: regions off its front, then names by their endings, the last one the base.

Nothing here looks beyond its run; what the pieces mean for the address is decided where they are put together.
"""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.knowledge import Gazetteer
from geo.addresses.parsing.regions import take_regions
from geo.addresses.parsing.runs import LONGEST_RUN, Piece, Run, last_ending
from geo.addresses.parsing.vocabulary import Ending, one_of, vocabulary

_VOCABULARY: Final = vocabulary()
_WORDS: Final = _VOCABULARY.grammar["words"]
_ENDING: Final = _VOCABULARY.ending
_ENDINGS: Final = _VOCABULARY.endings
_BARE: Final = _VOCABULARY.bare
_DOUBLED: Final = re.compile(r"([\u4e00-\u9fff]{2,20})\1")
_LONGER: Final = re.compile(
    f"(?:{one_of(text for text, ending in _ENDINGS.items() if ending.kind == 'estate' and len(text) > 1)})(?![路街道弄])"
)
_LATIN: Final = re.compile(r"[A-Za-z]{2,}(?=[\u4e00-\u9fff]{3})")
_MORE: Final = re.compile(f"(?:{_BARE.pattern}){{1,6}}")
_BESIDE: Final = re.compile(f"(?:{one_of(_WORDS['beside'])})$")
_CROSSING: Final = re.compile(f"(?:{one_of(_WORDS['crossing'])})$")
_JOINS: Final = re.compile(f"(?:{one_of(_WORDS['joins'])})")
_IDLE: Final = re.compile(f"(?:{one_of(_WORDS['idle'])}){{1,12}}")
_NEAR: Final = re.compile(one_of(_WORDS["near"]))
_ALONE: Final = re.compile(r"(?:单栋|独栋){1,4}$")
_SECTION: Final = re.compile(r"(?:[一二三四五六七八九十东西南北中]|\d{1,2})段$")
_ELEVATED: Final = re.compile(r"高架|高速|(?:[内中外]|郊区?|绕城)环(?:线|路|$)|^[AGS]\d{1,4}|立交|隧道|大桥$")
_ESTATE_VILLAGE: Final = re.compile(r"[^一二三四五六七八九十\d](?:新|[一二三四五六七八九十]+|\d+)村$")
_SECTION_OF_ESTATE: Final = re.compile(r"(?:[一二三四五六七八九十\d]{1,3}|[东南西北中])(?:街坊|区|坊|期|苑)")
_NO_STEM: Final = "东西南北中一二三四五六七八九十支"
_NUMERALS: Final = "一二三四五六七八九十"
_ROAD_SIGNS: Final = "路街道线弄"
_SITES: Final = "园校院站场店号弄厂所"
"""Characters before a single 边 or 口 that end the name of a site: 幼儿园边."""


def read_names(text: str, before: str, gazetteer: Gazetteer, *, fresh: bool) -> Run:
    """Return a run taken apart; see ``Run`` for ``before`` and ``fresh``."""
    run = Run(text, before, fresh, gazetteer, max(0, len(text) - LONGEST_RUN), len(text))
    if text == "临" and before == "number":
        return run
    if _IDLE.fullmatch(text):
        run.leave_front("idle", run.end)
        return run
    _leave_words(run)
    take_regions(run)
    if not before and run.start < run.end:
        _leave_surroundings(run)
    if run.start < run.end:
        _take_names(run)
    return run


def _leave_words(run: Run) -> None:
    """Leave out words that say nothing: 近 at the very front, 内 after a number, 第 before one; 临 goes with its number."""
    text, start = run.text, run.start
    if run.fresh:
        near = _NEAR.match(text, start)
        if near is not None and run.end - near.end() > 2:
            run.leave_front("idle", near.end())
            run.notes.append("beside")
    elif text[start] in "内的原" and run.end - start > 1:
        run.leave_front("idle", start + 1)
    if run.before and run.end - run.start > 1:
        if text[run.end - 1] in "第的附":
            run.leave_back("idle", run.end - 1)
        elif text[run.end - 1] == "临" and run.before == "number":
            run.end -= 1
    if text[run.end - 1] == "栋":
        alone = _ALONE.search(text, run.start, run.end)
        if alone is not None and alone.start() > run.start:
            run.leave_back("idle", alone.start())


def _leave_surroundings(run: Run) -> None:
    """Leave out 旁边, 对面 and 路口 at the back of a run that no number follows, and what they are said of."""
    text, start, end = run.text, run.start, run.end
    crossing = _CROSSING.search(text, start, end)
    if crossing is not None:
        at = crossing.start()
        if crossing[0] == "路口" and at > start and text[at - 1] not in _ROAD_SIGNS:
            at += 1
        if at > start and text[at - 1] in _ROAD_SIGNS:
            run.leave_back("idle", at)
            run.notes.append("crossing")
            return
    beside = _BESIDE.search(text, start, end)
    if beside is None or (len(beside[0]) == 1 and not _is_beside(beside.start(), run)):
        return
    run.notes.append("beside")
    if run.fresh:
        run.leave_back("landmark", beside.start())
    else:
        run.leave_front("landmark", end)


def _is_beside(at: int, run: Run) -> bool:
    """Say whether a single 南, 边 or 口 at ``at`` is no part of a name: right after a number, or after the name of a site."""
    if at == run.start:
        return not run.fresh
    return run.text[at] in "边口" and run.text[at - 1] in _SITES


def _take_names(run: Run) -> None:
    """Cut the rest of a run into names; the last one is what the numbers after it belong to."""
    _leave_doubled(run)
    known = _known_road(run)
    end = run.end
    run.end -= len(known)
    _cut_names(run, bool(known))
    if run.start < run.end:
        _take_leftover(run.end, run, known=bool(known))
    run.end = end
    if known:
        kind = _kind_of_known(known)
        if kind == "road":
            _judge_road(known, run)
        run.take(kind, end, known)


def _leave_doubled(run: Run) -> None:
    """Leave out what is said twice in a row at the front or at the back: 九亭九亭明珠苑, 爱博四村四村."""
    while doubled := _DOUBLED.search(run.text, run.start, run.end):
        if doubled.end() == run.end:
            run.leave_back("repeated", doubled.end(1))
        elif doubled.start() == run.start:
            run.leave_front("repeated", doubled.end(1))
        else:
            return


def _known_road(run: Run) -> str:
    """Return the known road that the run ends with, ``""`` for none."""
    if not run.gazetteer.roads:
        return ""
    known = run.gazetteer.known_ending(run.rest)
    if run.end - run.start - len(known) == 1 and known[-1:] in _ROAD_SIGNS:
        # One character before a known road is rather part of another name: 立新路 is not 新路.
        return ""
    before = run.rest[: len(run.rest) - len(known)]
    return "" if before and _kind_of_known(known) != "road" and not _ends_there(before, known) else known


def _ends_there(before: str, known: str) -> bool:
    """Say whether a name ends before a known village: 控江一村 is not 一村, and 望舒机场新村 is not 机场新村."""
    ending = last_ending(before)
    return ending is not None and ending.kind == "estate" and known[0] not in _NUMERALS


def _kind_of_known(name: str) -> str:
    """Return the kind of a known name that numbers belong to: some are villages or 新村 with numbers of their own."""
    ending = last_ending(name)
    if ending is None or ending.kind not in ("estate", "village"):
        return "road"
    return "estate" if ending.kind == "estate" or _ESTATE_VILLAGE.search(name) else "village"


def _cut_names(run: Run, known: bool) -> None:
    """Take names by their endings off the front; ``known`` says that a known road follows the run's end."""
    for match in _ENDING.finditer(run.text, run.start, run.end):
        ending = _ENDINGS[match[0]]
        stem, at = match.start(), match.end()
        last = at == run.end
        if stem < run.start or stem - run.start < (min(ending.stem, 1) if last else ending.stem):
            continue
        if not last and not _may_cut(stem, at, ending, run):
            continue
        if last and ending.where == "door" and not run.before and not known:
            continue
        if last and known and ending.kind == "road":
            # Two roads in a row, the second a known one: 云杉路望舒路.
            run.notes.append("crossing")
        _take_name(stem, at, ending, run)


def _may_cut(stem: int, at: int, ending: Ending, run: Run) -> bool:
    """Say whether a name may end within a run: what follows must be a name of its own, not more of this one."""
    text, start, end = run.text, run.start, run.end
    if ending.where != "any" or at - start < 3 or (stem - start == 1 and text[start] in _NO_STEM):
        return False
    joined = _JOINS.match(text, at, end)
    if joined is not None and joined.end() < end and ending.kind == "road":
        return True
    if _MORE.fullmatch(text, at, end) and not _is_whole_road(at, run):
        return False
    if ending.kind == "estate" and _LONGER.match(text, at, end):
        # 住宅小区 and 新村公寓 end once.
        return False
    if len(ending.text) == 1 and ending.kind in ("estate", "hamlet"):
        # 苑 or 宅 alone is a weak sign: only a part of the estate or a whole road may follow.
        last = last_ending(text[at:end])
        if ending.kind == "estate" and _SECTION_OF_ESTATE.fullmatch(text, at, end):
            return True
        return last is not None and last.kind == "road" and not _BARE.match(text, at, end)
    return end - at >= 2 or ending.kind in ("village", "committee")


def _is_whole_road(at: int, run: Run) -> bool:
    """Say whether what follows an ending looks like more endings but is a road of its own: 三街坊 商城路."""
    last = last_ending(run.text[at : run.end])
    return last is not None and last.kind == "road" and not _BARE.fullmatch(run.text, at, run.end)


def _take_name(stem: int, at: int, ending: Ending, run: Run) -> None:
    joined = _JOINS.match(run.text, run.start, at)
    if joined is not None and run.pieces and run.pieces[-1].kind == "road":
        run.leave_front("idle", joined.end())
        run.notes.append("crossing")
    name = run.text[run.start : at]
    kind = _kind_of(name, at, ending, run)
    if kind == "road":
        _take_road(name, at, run)
        return
    if kind in ("place", "estate"):
        _note_inner_road(stem, at, run)
    _take_or_join(kind, at, run)


def _kind_of(name: str, at: int, ending: Ending, run: Run) -> str:
    if run.before == "group" and at == run.end and ending.kind != "road":
        return "village" if name.endswith("村") else "hamlet"
    if ending.kind == "village" and _ESTATE_VILLAGE.search(name):
        return "estate"
    return ending.kind


def _take_road(name: str, at: int, run: Run) -> None:
    roads = run.gazetteer.roads
    if roads and at < run.end:
        inner = run.gazetteer.known_ending(name)
        if inner and len(name) - len(inner) > 1:
            _take_leftover(at - len(inner), run, known=True)
            name = inner
    elif latin := _LATIN.match(name):
        run.take("place", run.start + latin.end())
        name = name[latin.end() :]
    _judge_road(name, run)
    if roads and name not in roads:
        run.notes.append("road_unknown")
    run.take("road", at, name)


def _take_or_join(kind: str, at: int, run: Run) -> None:
    """Take a name; 恒隆广场办公楼 is one place and 恒大华城天地苑 one estate, unless 天地苑 is known by itself."""
    last = run.pieces[-1] if run.pieces else None
    if last is None or kind != last.kind or kind not in ("place", "estate", "zone") or last.end != run.start:
        run.take(kind, at)
    elif run.text[run.start : at] in run.gazetteer.communities:
        run.pieces[-1] = last._replace(kind="place")
        run.take(kind, at)
    else:
        run.pieces[-1] = Piece(kind, last.start, at, run.text[last.start : at])
        run.start = at


def _judge_road(name: str, run: Run) -> None:
    if _ELEVATED.search(name):
        run.notes.append("elevated_road")


def _note_inner_road(stem: int, at: int, run: Run) -> None:
    """Note that a name such as 人民路小学 or 长寿路桥 may mean the road in it."""
    cut = max(run.text.rfind("路", run.start, stem), run.text.rfind("街", run.start, stem))
    if cut - run.start >= 2 and at - cut >= 2:
        run.instead.append(("road_or_name", {"road": run.text[run.start : cut + 1]}))


def _take_leftover(end: int, run: Run, *, known: bool = False) -> None:
    """Take what has no ending: a section of a road, a hamlet of a village, a part of an estate, else a place."""
    text, start = run.text, run.start
    before = "known" if known else run.before
    last = run.pieces[-1].kind if run.pieces else ""
    if last == "road" and _SECTION.match(text, start, end):
        run.take("section", end)
    elif last == "village" or before == "group":
        run.take("hamlet", end)
    elif last == "estate" and _SECTION_OF_ESTATE.fullmatch(text, start, end):
        run.take("block", end)
    elif (text[start:end] in _ENDINGS and not before) or _IDLE.fullmatch(text, start, end):
        run.leave_front("idle", end)
    elif len(text) < 3 and not before and not run.fresh:
        run.leave_front("unread", end)
        run.notes.append("unread")
    elif last == "estate" and before in ("number", "building") and end - start > 2:
        # The numbers belong to what stands before them: 松江大学城御上海17号楼.
        _take_or_join("estate", end, run)
    else:
        _take_or_join("place", end, run)
