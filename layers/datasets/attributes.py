"""What features of a dataset say of themselves: attributes with a kind, and values that fit it. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, get_args

from geo.errors import BadInput
from layers.spec import Attribute, AttributeKind

KINDS: Final[dict[str, str]] = {
    "text": "文字", "whole": "整数", "number": "小数", "yes_no": "是或否", "day": "日期", "moment": "日期和时间",
}  # fmt: skip
MOST: Final = 40
LONGEST_TITLE: Final = 30
LONGEST_TEXT: Final = 1_000
MOST_CHOICES: Final = 60
MOST_WHOLE: Final = 2**53 - 1
_CASTS: Final = {
    "text": "", "whole": "::bigint", "number": "::double precision", "yes_no": "::boolean", "day": "::date",
    "moment": "::timestamptz",
}  # fmt: skip
_NAME: Final = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
_RESERVED: Final = frozenset(
    {"id", "geom", "geometry", "count", "type", "properties", "bbox", "limit", "number", "crs", "datetime", "f"}
)
"""Names that the standards, tiles and requests have a use of their own for."""
_YES: Final = frozenset({"是", "有", "true", "yes", "y", "t", "1", "1.0"})
_NO: Final = frozenset({"否", "无", "false", "no", "n", "f", "0", "0.0"})


@dataclass(frozen=True, slots=True)
class DatasetAttribute:
    """An attribute of a dataset. ``name`` is ours, never out of a file: it is written into SQL."""

    name: str
    title: str
    kind: AttributeKind
    required: bool = False
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.match(self.name) or self.kind not in get_args(AttributeKind):
            raise ValueError(f"no attribute can be {self.name!r} of kind {self.kind!r}")

    def kept(self) -> dict[str, Any]:
        """Return it as a dataset keeps it."""
        return {**asdict(self), "choices": list(self.choices)}

    def declared(self) -> Attribute:
        """Return it as an attribute of a layer."""
        return Attribute(self.name, self.title, self.kind, f"(t.properties->>'{self.name}'){_CASTS[self.kind]}")


def attributes_of(kept: Sequence[Mapping[str, Any]]) -> list[DatasetAttribute]:
    """Return the attributes that a dataset, an act or a version keeps."""
    return [DatasetAttribute(**{**one, "choices": tuple(one["choices"])}) for one in kept]


def titled(title: str) -> str:
    """Return the title of an attribute as it can be kept. Raises ``BadInput``."""
    said = " ".join(title.split())
    if not 0 < len(said) <= LONGEST_TITLE:
        raise BadInput(
            "attribute_title", f"字段名称要写，最多 {LONGEST_TITLE} 个字。", fields={"title": "请写字段名称。"}
        )
    return said


def choices_typed(text: str) -> tuple[str, ...]:
    """Return the choices that were typed, one a line or between commas. Raises ``BadInput`` for too many."""
    said = dict.fromkeys(" ".join(one.split()) for one in re.split(r"[\n,，、;；]", text))
    found = tuple(one[:60] for one in said if one)
    if len(found) > MOST_CHOICES:
        raise BadInput("attribute_choices", f"选项最多 {MOST_CHOICES} 个。", fields={"choices": "选项太多。"})
    return found


def name_for(title: str, taken: Collection[str]) -> str:
    """Return a name for an attribute in letters and digits, by the sound of its title, that no other ever had."""
    from pypinyin import Style, lazy_pinyin

    spoken = "_".join(lazy_pinyin(title[:12], style=Style.NORMAL, errors="default")).lower()
    plain = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", spoken)).strip("_")[:30]
    begin = plain if _NAME.match(plain) else f"a_{plain}".rstrip("_")
    free = (name for at in range(1, 10_000) if (name := begin if at == 1 else f"{begin}_{at}") not in taken)
    return next(name for name in free if name not in _RESERVED)


def value_of(attribute: DatasetAttribute, said: Any) -> Any:
    """Return what was typed, or stood in a file, as a value of an attribute; ``None`` for nothing. Raises ``BadInput``."""
    text = " ".join(str(said).replace("\x00", "").split()) if said is not None else ""
    if not text:
        return None
    value = _READ[attribute.kind](text)
    if value is None:
        raise _unfit(attribute, f"“{attribute.title}”{_WANTED[attribute.kind]}。")
    if attribute.choices and value not in attribute.choices:
        shown = "、".join(attribute.choices[:8])
        raise _unfit(attribute, f"“{attribute.title}”要从这些里选：{shown}。")
    return value


def values_of(attributes: Sequence[DatasetAttribute], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a form by name, without the empty ones. Raises ``BadInput`` with all that is wrong, by field."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for one in attributes:
        try:
            value = value_of(one, said.get(one.name))
        except BadInput as fault:
            faults[one.name] = fault.message
            continue
        if value is not None:
            values[one.name] = value
        elif one.required:
            faults[one.name] = f"请填“{one.title}”。"
    if faults:
        raise BadInput("values_unfit", "有几项没有填对，请看标出来的地方。", fields=faults)
    return values


def guessed_kind(said: Sequence[Any]) -> AttributeKind:
    """Return the kind that all the cells of a column fit, the narrowest first; text where there are none."""
    texts = [text for one in said if one is not None and (text := " ".join(str(one).split()))]
    if not texts:
        return "text"
    if any(re.match(r"^[+-]?(0\d|\d{16,}$)", text) for text in texts):
        return "text"  # numbers that begin with 0 are codes, and so are those too long to reckon with
    for kind in ("whole", "number", "yes_no", "day", "moment"):
        if all(_READ[kind](text) is not None for text in texts):
            return kind
    return "text"


def shown(attribute: DatasetAttribute, value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if attribute.kind == "yes_no":
        return "是" if value else "否"
    if attribute.kind == "moment":
        return str(value).replace("T", " ")[:16]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unfit(attribute: DatasetAttribute, message: str) -> BadInput:
    return BadInput("value_unfit", message, fields={attribute.name: message})


def _text(text: str) -> str | None:
    return text if len(text) <= LONGEST_TEXT else None


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "").replace("，", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e300 and "_" not in text else None


def _whole(text: str) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value.is_integer() and abs(value) <= MOST_WHOLE else None


def _yes_no(text: str) -> bool | None:
    low = text.lower()
    return True if low in _YES else False if low in _NO else None


def _day(text: str) -> str | None:
    plain = re.sub(r"[年月/.]", "-", text.replace("日", "")).removesuffix(" 00:00:00").removesuffix("T00:00:00")
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", plain)
    try:
        return dt.date(*(int(part) for part in found.groups())).isoformat() if found else None
    except ValueError:
        return None


def _moment(text: str) -> str | None:
    try:
        value = dt.datetime.fromisoformat(text.replace("Z", "+00:00").replace("/", "-"))
    except ValueError:
        return None
    if not 1 < value.year < 9999:  # in another zone it may be of no year that there is
        return None
    return (value if value.tzinfo else value.replace(tzinfo=_SHANGHAI)).isoformat()


_SHANGHAI: Final = dt.timezone(dt.timedelta(hours=8))
_READ: Final[dict[str, Any]] = {
    "text": _text, "whole": _whole, "number": _number, "yes_no": _yes_no, "day": _day, "moment": _moment,
}  # fmt: skip
_WANTED: Final = {
    "text": f"最多 {LONGEST_TEXT} 个字", "whole": "要填整数", "number": "要填数字", "yes_no": "要填是或否",
    "day": "要写成 2026-09-01 的样子", "moment": "要写成 2026-09-01 08:00 的样子",
}  # fmt: skip
