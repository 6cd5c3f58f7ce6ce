"""What the cells of one row mean as rules, or what is wrong with them: one judge for whole files and for a mended row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import Final, cast

from services.catchments.editing import RuleSaid, faults_of, trimmed
from services.catchments.entries import CHOICES, MODES, RULED, Choice, Mode, entry_point
from services.catchments.ground import Ground

MOST_OF_A_ROW: Final = 200
_MODE_WORDS: Final[dict[str, Mode]] = {word: mode for mode, word in MODES.items()} | {
    "单列": "override", "特殊地址": "override", "地址": "address", "详细地址": "address", "小区": "community",
    "居委": "committee", "街道居委": "committee", "街道居委小区": "community", "开放": "open", "自选": "open", "自行选择": "open",
}  # fmt: skip
_LIST: Final = re.compile(r"[、，,;；/\n]+")
_BRANCHES: Final = re.compile(r"^(.+?)[(（]([^()（）]*[、，,][^()（）]*)[)）](.*)$")


@dataclass(frozen=True, slots=True)
class Judged:
    """The rules of a row, or the faults by field; one of the two is empty."""

    rules: tuple[RuleSaid, ...]
    faults: Mapping[str, str]


def judge(cells: Mapping[str, str], *, entry: str, ground: Ground) -> Judged:
    """Return the rules that a row means: one for each kindergarten, committee and community that its cells list."""
    faults: dict[str, str] = {}
    mode = _mode(cells, entry, faults)
    street = _street(cells.get("street", ""), ground, faults) if mode in ("community", "committee", "open") else None
    committees = _committees(cells, street, ground, faults) if mode in ("community", "committee", "open") else [None]
    goals = _goals(cells, ground, faults)
    communities = names_in(cells.get("community", "")) or [""]
    if len(committees) * len(goals) * len(communities) > MOST_OF_A_ROW:
        faults.setdefault("target", f"一行最多写成 {MOST_OF_A_ROW} 条规则，请拆成几行。")
    if faults:
        return Judged((), faults)
    written, note = cells.get("written", ""), cells.get("note", "")
    said = [
        trimmed(
            RuleSaid(mode, _street_of(committee, street, ground), committee, community, written, target, choice, note)
        )
        for committee, community, (target, choice) in product(committees, communities, goals)
    ]
    for each in said:
        faults |= faults_of(each, entry=entry, ground=ground)
    return Judged((), faults) if faults else Judged(tuple(dict.fromkeys(said)), {})


def mode_for(cells: Mapping[str, str], *, sheet: str, entry: str) -> str:
    """Return the words of the mode of a row that says none itself: by its cells, its sheet and the entry."""
    allowed = entry_point(entry)
    if (allowed and set(allowed.modes) <= {"open"}) or re.search(r"开放|自选|可选", sheet):
        return MODES["open"]
    if cells.get("written"):
        return MODES["override" if re.search(r"单列|特殊|例外|个别", sheet) else "address"]
    if cells.get("community"):
        return MODES["community"]
    return MODES["committee" if cells.get("committee") or cells.get("street") else "open"]


def names_in(text: str) -> list[str]:
    """Return the names that a cell lists; of 甲园（东园、西园） both campuses."""
    found: list[str] = []
    for piece in _pieces(text):
        branches = _BRANCHES.match(piece)
        if branches:
            found += [
                f"{branches[1]}（{each.strip()}）{branches[3]}" for each in _LIST.split(branches[2]) if each.strip()
            ]
        else:
            found.append(piece)
    return list(dict.fromkeys(found))


def _pieces(text: str) -> list[str]:
    """Cut a list at its signs, not within brackets."""
    pieces, depth = [""], 0
    for sign in text:
        depth += (sign in "(（") - (sign in ")）")
        if depth <= 0 and _LIST.fullmatch(sign):
            pieces.append("")
        else:
            pieces[-1] += sign
    return [piece.strip() for piece in pieces if piece.strip()]


def _mode(cells: Mapping[str, str], entry: str, faults: dict[str, str]) -> Mode:
    text = "".join(sign for sign in cells.get("mode", "") if sign.isalnum())
    plain = {"".join(sign for sign in word if sign.isalnum()): mode for word, mode in _MODE_WORDS.items()}
    mode = plain.get(text)
    if mode is None or mode not in RULED:
        faults["mode"] = (
            f"匹配方式“{cells.get('mode', '')[:20]}”认不出，请写：{'、'.join(MODES[each] for each in RULED)}。"
        )
        return "open"
    return mode


def _street(text: str, ground: Ground, faults: dict[str, str]) -> int | None:
    if not text or text in ("全区", "全部"):
        return None
    found = ground.streets_named(text)
    if not found:
        faults["street"] = f"{ground.name}没有“{text[:30]}”这个街镇。{_like(text, ground.streets.values())}"
    elif len(found) > 1:
        faults["street"] = f"{ground.name}有 {len(found)} 个叫“{text[:30]}”的街镇，请写全名。"
    return found[0] if len(found) == 1 else None


def _committees(
    cells: Mapping[str, str], street: int | None, ground: Ground, faults: dict[str, str]
) -> list[int | None]:
    found: list[int | None] = []
    for text in names_in(cells.get("committee", "")):
        known = ground.committees_named(text, street)
        if not known and "street" not in faults:
            where = ground.streets.get(street or 0, ground.name)
            elsewhere = ground.committees_named(text)
            names = (name for name, over in ground.committees.values() if street in (None, over))
            more = (
                f"它属于{ground.streets.get(ground.committees[elsewhere[0]][1], '')}，请改街镇。"
                if elsewhere
                else _like(text, names)
            )
            faults["committee"] = f"{where}没有“{text[:30]}”这个居委。{more}"
        elif len(known) > 1:
            faults["committee"] = f"{ground.name}有 {len(known)} 个叫“{text[:30]}”的居委，请写上街镇。"
        elif known:
            found.append(known[0])
    return found or [None]


def _goals(cells: Mapping[str, str], ground: Ground, faults: dict[str, str]) -> list[tuple[int | None, Choice]]:
    number = cells.get("site", "")
    names = names_in(cells.get("target", ""))
    if number and len(names) <= 1 and number.isascii() and number.isdigit():
        site = ground.sites.get(int(number))
        if site is not None and (not names or site.id in ground.sites_named(names[0])):
            return [(site.id, "")]
    choices = {word: choice for choice, word in CHOICES.items() if choice} | {"公办": "public", "民办": "private"}
    found: list[tuple[int | None, Choice]] = []
    for name in names:
        if name in choices:
            found.append((None, cast(Choice, choices[name])))
            continue
        known = ground.sites_named(name)
        if not known:
            names_there = (site.name for site in ground.open_sites())
            faults["target"] = f"{ground.name}没有“{name[:40]}”这所幼儿园。{_like(name, names_there)}"
        elif len(known) > 1:
            faults["target"] = f"{ground.name}有 {len(known)} 所叫“{name[:40]}”的幼儿园，请在“园所编号”里写明是哪一所。"
        else:
            found.append((known[0], ""))
    if not names:
        faults["target"] = "没有写幼儿园，请填写；合并单元格拆开以后每行都要有。"
    return found or [(None, "")]


def _street_of(committee: int | None, street: int | None, ground: Ground) -> int | None:
    return street if street is not None or committee is None else ground.committees[committee][1]


def _like(text: str, names: object) -> str:
    near = get_close_matches(text, list(cast("list[str]", names)), n=1, cutoff=0.5)
    return f"是不是“{near[0]}”？" if near else "请按名录写全名。"
