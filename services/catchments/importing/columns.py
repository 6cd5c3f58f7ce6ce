"""Where the head of a district's sheet stands, and which of its columns says what: by the words districts use. Pure.

A head takes up to three rows; titles stand above it, notes below the rows. Merged cells hold their value in each of their rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HEAD_WITHIN: Final = 15
HEAD_ROWS: Final = 3
LABELS: Final = {
    "mode": "匹配方式", "street": "街镇", "committee": "居委", "community": "小区", "written": "地址范围",
    "road": "路名", "numbers": "门牌号", "side": "单双号", "target": "对口幼儿园", "site": "园所编号", "note": "备注",
}  # fmt: skip
"""The fields of a row in the order they are shown and exported; 路名、门牌号、单双号 together are the 地址范围."""
_WHOSE: Final = r"(?:所属|所在|户籍|居住|所属的)?"
_WORDS: Final = {
    field: re.compile(pattern)
    for field, pattern in {
        "mode": r"匹配方式|匹配模式|对口方式|规则类型",
        "street": rf"{_WHOSE}(?:街道|街镇|乡镇|镇|街道镇|街道乡镇|街道办事处|街道或镇)(?:名称)?",
        "committee": rf"{_WHOSE}(?:社区)?(?:居委|居委会|居村委|居村委会|村居委|村居|居民委员会|居委村委|居民区)(?:名称|全称)?",
        "community": rf"{_WHOSE}(?:对口)?(?:住宅|居住)?(?:小区|小区楼盘|楼盘)(?:名称|名)?",
        "written": r"(?:对口|详细|招生|户籍|居住|学区|服务|地段)*(?:地址|门牌地址|地址门牌|地段|范围|路弄号|区域)"
        r"(?:范围|明细|列表)?|(?:详细)?地址及(?:门牌)?单双号|门牌范围",
        "road": r"路名|道路|马路|路|道路名称|路段",
        "numbers": r"门牌号?|门牌号码|号码|弄号|号|弄|门牌号范围|号码范围|弄或号",
        "side": r"单双号?|单双数",
        "target": r"(?:对口|报名|招生|可选|公建|公办|统筹)*(?:幼儿园|园所|幼儿园园所|园名|学校|园)(?:名称|全称|名)?|招生单位",
        "site": r"园所编号|机构编号|园所代码",
        "note": r"备注|说明|注",
    }.items()
}
_NOTE: Final = re.compile(r"^(?:备?注|说明|填表|制表|联系|咨询|合计|共计|总计|截至|以上|本表|注意)")
_BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|【.*?】|〔.*?〕")
_ORDER: Final = re.compile(r"[\d一二三四五]+$")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a sheet: the first row of data, from 0, and the columns of each field, from 0; several name a kindergarten."""

    first: int
    columns: Mapping[str, tuple[int, ...]]

    @property
    def known(self) -> list[str]:
        """Return the labels of the recognised columns."""
        return [LABELS[field] for field in LABELS if field in self.columns]


def head_of(rows: Sequence[Sequence[str]]) -> Head | None:
    """Return the head of a sheet; ``None`` where no rows name a kindergarten's column and another one."""
    best: tuple[int, int, int] | None = None
    found: Head | None = None
    for last in range(min(HEAD_WITHIN, len(rows))):
        for first in range(max(0, last - HEAD_ROWS + 1), last + 1):
            columns = _columns(rows[first : last + 1])
            worth = (len(columns), -(last - first), -last)
            if "target" in columns and (best is None or worth > best):
                best, found = worth, Head(last + 1, columns)
    return found


def field_of(text: str) -> str:
    """Return the field that a word of a head names; '' for none."""
    plain = _BRACKETS.sub("", unicodedata.normalize("NFKC", text))
    plain = "".join(sign for sign in plain if sign.isalnum())
    for word in (plain, _ORDER.sub("", plain)):
        for field, pattern in _WORDS.items():
            if word and pattern.fullmatch(word):
                return field
    return ""


def is_note(cells: Sequence[str], head: Head) -> bool:
    """Say whether a row is a remark below the table: one text alone that names no kindergarten, or begins like a remark."""
    texts = [cell for cell in cells if cell]
    if len(set(texts)) != 1:
        return bool(texts) and bool(_NOTE.match(texts[0])) and not any(_at(cells, at) for at in head.columns["target"])
    return bool(_NOTE.match(texts[0])) or len(texts) > 1 and len(cells) == len(texts) or len(texts[0]) > 30


def is_head_again(cells: Sequence[str], head: Head) -> bool:
    """Say whether a row repeats the head, as sheets made for printing do."""
    named = [field_of(_at(cells, at)) for ats in head.columns.values() for at in ats]
    return sum(1 for field in named if field) >= max(2, len(named) - 1)


def cells_of(cells: Sequence[str], head: Head) -> dict[str, str]:
    """Return the cells of a row by field; kindergartens of several columns stand beside each other."""
    found = {field: "、".join(text for at in ats if (text := _at(cells, at))) for field, ats in head.columns.items()}
    if "written" not in found and "road" in found:
        numbers, side = found.get("numbers", ""), found.get("side", "")
        found["written"] = _written(found["road"], numbers, side)
    return {field: text for field, text in found.items() if text and field not in ("road", "numbers", "side")}


def _written(road: str, numbers: str, side: str) -> str:
    if not side or side in ("单双", "单双号", "全部", "不分", "/", "-"):
        return f"{road}{numbers}"
    return f"{road}{numbers}（{side}）" if not side.startswith(("(", "（")) else f"{road}{numbers}{side}"


def _columns(window: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for at in range(max(map(len, window), default=0)):
        field = next((named for row in reversed(window) if (named := field_of(_at(row, at)))), "")
        if field and (field not in found or field == "target"):
            found[field] = (*found.get(field, ()), at)
    if "written" in found and "road" not in found:
        found.pop("numbers", None)
    if "numbers" in found and "road" not in found and "written" not in found:
        found["written"] = found.pop("numbers")
    return found


def _at(cells: Sequence[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""
