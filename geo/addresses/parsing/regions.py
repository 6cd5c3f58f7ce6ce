"""Regions off the front of a run: 中国, 上海市, a district, a street or town, another city; and what only looks like one.

广东路, 陕西南路 and 桂林路 begin with a province or a city, 镇宁路 and 浦东大道 with letters of a region: they are roads.
"""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.knowledge import Written
from geo.addresses.parsing.runs import Run, last_ending
from geo.addresses.parsing.vocabulary import Elsewhere, RegionName, vocabulary

_WORDS: Final = vocabulary()
_BARE: Final = _WORDS.bare
_BARE_ROAD: Final = _WORDS.bare_road
_BARE_TO_END: Final = _WORDS.bare_to_end
_ZONES: Final = tuple(text for text, ending in _WORDS.endings.items() if ending.kind == "zone")
_TOWN: Final = re.compile(r"[\u4e00-\u9fff]{2,6}?街道(?!办)|(?:(?![村路街弄区市县号镇])[\u4e00-\u9fff]){2,4}?[镇乡]")
_CITY: Final = re.compile(
    r"[\u4e00-\u9fff]{2,4}?(?<![超城集菜都门老新股路街道弄号村])[市县](?![场政民立属路街东西南北中级])"
)
_COUNTY: Final = re.compile(r"[\u4e00-\u9fff]{1,5}?(?<![小社园业校街景期库厂])[区县市旗](?![场政民立属路街])")
_CITY_ABOVE: Final = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:市|自治州|地区)")
_UNKNOWN_DISTRICT: Final = re.compile(
    rf"[\u4e00-\u9fff]{{2,3}}?(?<![{_WORDS.grammar['words']['not_districts']}])区(?=[\u4e00-\u9fff]{{2}})"
)
_OFFICE: Final = re.compile("办事处(?!$)")
_NUMBERED: Final = re.compile("[一二三四五六七八九十]{2}")
_REGION_SIGN: Final = re.compile("[市县区旗州镇乡道]")
"""One of these is in the name of every region that no list has."""
_FURTHER: Final = 8
"""Characters after the short name of a city in which a region of its own must begin."""


def take_regions(run: Run) -> None:
    """Take country, city, district and street off the front of a run, any of them missing."""
    while run.end - run.start >= 2:
        name = _listed(run)
        if name is not None:
            _take(name, run)
        elif not _take_unlisted(run):
            return


def _listed(run: Run) -> Written | None:
    """Return the region of the lists that stands at the front."""
    for name in run.gazetteer.regions.get(run.text[run.start : run.start + 2], ()):
        at = run.start + len(name.written)
        if at > run.end or not run.text.startswith(name.written, run.start) or _is_road(run, at):
            continue
        if not name.short or _short(name, at, run):
            return name
    return None


def _take(name: Written, run: Run) -> None:
    end = run.start + len(name.written)
    if isinstance(name, RegionName):
        run.take(name.kind, end, name.today)
        if name.old:
            run.notes.append("old_name")
    else:
        run.take("district" if name.level == "county" else "city", end, name.name)
        run.notes.append("other_city")


def _is_road(run: Run, at: int) -> bool:
    """Say whether what looks like a region up to ``at`` is the beginning of a name: 陕西南路, 镇宁路, 宝山一村."""
    last = run.text[at - 1]
    # 惠南镇八一路: two numerals begin a name of their own.
    named = last in "区县市省道" or (last in "镇乡" and _NUMBERED.match(run.text, at, run.end))
    if not named and _BARE.fullmatch(run.text, at, run.end):
        return True
    gazetteer = run.gazetteer
    return bool(gazetteer.roads) and len(gazetteer.known_beginning(run.rest)) > at - run.start


def _short(name: Written, at: int, run: Run) -> bool:
    """Say whether a name without its 区, 镇 or 市 is meant as a region."""
    if isinstance(name, RegionName) and name.kind == "street":
        return _is_town(name, at, run)
    if _BARE_ROAD.match(run.text, at, run.end):
        return False
    if not isinstance(name, RegionName):
        return "other_city" in run.notes or _is_elsewhere(name, at, run)
    return _is_district(at, run)


def _is_district(at: int, run: Run) -> bool:
    """Say whether 杨浦 or 浦东 at the front is the district: another region or a whole road or estate must follow."""
    rest, gazetteer = run.text[at : run.end], run.gazetteer
    if any(piece.kind == "district" for piece in run.pieces):
        # 静安静安寺: the second is the beginning of a name.
        return False
    if len(rest) < 2 or run.rest in gazetteer.communities or run.rest in gazetteer.roads:
        return False
    if any(rest.startswith(name.written) for name in gazetteer.regions.get(rest[:2], ())):
        return True
    last = last_ending(rest)
    if last is None and not (run.before and len(rest) >= 4):
        return False
    if last is not None and last.kind == "road":
        return True
    if _BARE_TO_END.fullmatch(rest) or (last is not None and last.kind == "place" and not run.before):
        return False
    run.instead.append(("district_or_name", {"place" if last is None else last.kind: run.rest}))
    run.notes.append("district_or_name")
    return True


def _is_town(name: RegionName, at: int, run: Run) -> bool:
    """Say whether 周浦 or 老西门 is the town or street: right after its own district, before a whole name."""
    last = last_ending(run.text[at : run.end])
    if _BARE.match(run.text, at, run.end):
        # 奉浦社区 and 徐家汇中心 are names of their own.
        return False
    if last is None or not run.pieces or (run.pieces[-1].kind, run.pieces[-1].value) != ("district", name.district):
        return False
    return last.kind in ("road", "estate") and run.end - at > len(last.text) + 1


def _is_elsewhere(name: Elsewhere, at: int, run: Run) -> bool:
    """Say whether 江苏 or 苏州 without 省 or 市 is a place elsewhere: only when a city, county or zone of its own follows."""
    rest = run.text[at : min(at + _FURTHER, run.end)]
    names = run.gazetteer.regions.get(rest[:2], ())
    if rest.startswith(_ZONES) or any(
        not isinstance(name, RegionName) and rest.startswith(name.written) for name in names
    ):
        return True
    unlisted = _COUNTY.match(rest) or _TOWN.match(rest)
    if unlisted is not None and not _BARE.match(rest, unlisted.end()):
        return True
    _doubt_city(name, run.text[at : run.end], run)
    return False


def _doubt_city(name: Elsewhere, rest: str, run: Run) -> None:
    """Note that 苏州 before a whole road may be the city: 苏州云杉路, but not 苏州路 and 苏州北路."""
    last = last_ending(rest)
    if run.fresh and run.before and last is not None and last.kind == "road" and len(rest) - len(last.text) > 1:
        run.instead.append(("city_or_name", {"city": name.name, "road": rest}))
        run.notes.append("city_or_name")


def _take_unlisted(run: Run) -> bool:
    """Take what looks like country, city, county or town though no list has it; say whether there was one."""
    text, start = run.text, run.start
    if text.startswith("中国", start):
        return _take_country(run)
    if text.startswith("市辖区", start) or (
        run.pieces and run.pieces[-1].kind == "street" and _OFFICE.match(text, start)
    ):
        run.leave_front("idle", start + 3)
        return True
    if text.startswith("上海", start):
        return _take_shanghai(run)
    if not _REGION_SIGN.search(text, start, run.end):
        return False
    kinds = {piece.kind for piece in run.pieces}
    if "other_city" in run.notes and "district" not in kinds:
        if _take_city_above(run) or _take_like(_COUNTY, "district", run):
            return True
    elif not kinds & {"district", "street"}:
        if "city" not in kinds and _take_like(_CITY, "city", run):
            run.notes.append("other_city")
            return True
        if _take_unknown_district(run):
            return True
    return "street" not in kinds and _take_like(_TOWN, "street", run)


def _take_city_above(run: Run) -> bool:
    """Take 武威市 of 甘肃省武威市凉州区: what a district or county follows is the city above it."""
    city = _CITY_ABOVE.match(run.text, run.start, run.end)
    if city is None or not _COUNTY.match(run.text, city.end(), run.end):
        return False
    run.take("city", city.end())
    return True


def _take_unknown_district(run: Run) -> bool:
    """Take 瓯海区 at the front, which no list has, when a town or a whole road follows; 工业区 and 小区 are none."""
    match = _UNKNOWN_DISTRICT.match(run.text, run.start, run.end)
    if match is None or not run.fresh:
        return False
    last = last_ending(run.text[match.end() : run.end])
    if not _TOWN.match(run.text, match.end(), run.end) and (
        last is None or last.kind != "road" or _BARE.match(run.text, match.end(), run.end)
    ):
        return False
    run.take("district", match.end())
    run.notes.append("district_unknown")
    return True


def _take_country(run: Run) -> bool:
    at = run.start + 2
    if run.text.startswith("上海", at) or run.text[at : at + 2] in run.gazetteer.regions:
        run.leave_front("country", at)
        return True
    return False


def _take_shanghai(run: Run) -> bool:
    """Take 上海市, and 上海 when a region or a road of its own follows; 上海路, 上海中学 and 上海大学 stay names."""
    at = run.start + 2
    if run.text.startswith("市", at):
        run.take("city", at + 1, "")
        return True
    rest = run.text[at : run.end]
    last = last_ending(rest)
    whole_road = last is not None and last.kind == "road" and len(rest) > 2
    if _is_road(run, at) or not (rest.startswith("上海市") or _listed_at(at, run) or whole_road):
        return False
    run.take("city", at, "")
    return True


def _listed_at(at: int, run: Run) -> bool:
    rest = run.text[at : run.end]
    return any(rest.startswith(name.written) for name in run.gazetteer.regions.get(rest[:2], ()))


def _take_like(pattern: re.Pattern[str], kind: str, run: Run) -> bool:
    match = pattern.match(run.text, run.start, run.end)
    if match is None or _is_road(run, match.end()):
        return False
    run.take(kind, match.end())
    return True
