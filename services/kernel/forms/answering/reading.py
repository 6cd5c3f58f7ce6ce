"""One answer read by the kind of its field: from what a page, a program or a spreadsheet sends to the one form it is kept
in. Pure.

Kept forms: text as str; integers as int; decimals as plain digits in a str; days ``2026-09-01``, months ``2026-09``;
choices as codes; 是或否 as bool; regions as codes; places as ids; groups as lists of rows.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from geo.addresses.parsing import full_text, parse
from services.kernel.forms.answering.identity import carried_by
from services.kernel.forms.answering.known import Known
from services.kernel.forms.spec import Field

LONGEST: Final = {"text": 200, "long_text": 2_000, "name": 60, "address": 200}
MOST_ROWS: Final = 20
MOST_CHOSEN: Final = 100
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Signs nobody sees: control characters, and those that turn the direction of writing round."""
_INTEGER: Final = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?", re.ASCII)
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_CHINESE_NAME: Final = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff〇][\u3400-\u9fff\U00020000-\U0003ffff〇·]{1,29}")
_LATIN_NAME: Final = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ .,'’\-]{1,59}")
_YEARS: Final = (1900, 2200)


class Wrong(Exception):
    """An answer that cannot be what was asked for: a stable code and a sentence for the one who gave it."""

    def __init__(self, code: str, sentence: str, at: str = "") -> None:
        super().__init__(code)
        self.code, self.sentence, self.at = code, sentence, at


def is_blank(raw: object) -> bool:
    """Say whether nothing was answered."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return True
    return isinstance(raw, list | tuple | dict) and not raw


def read(field: Field, raw: object, known: Known) -> Any:
    """Return an answer that is not blank in the form it is kept in. Raises ``Wrong``."""
    if field.kind == "group":
        raise ValueError("groups are read row by row")
    return _READERS[field.kind](field, raw, known)


def clean_text(raw: object, longest: int) -> str:
    """Return a text without the signs nobody sees, composed (NFC) and stripped. Raises ``Wrong``."""
    if not isinstance(raw, str):
        raise Wrong("not_text", "这一项要填文字。")
    if len(raw) > 4 * longest:
        raise Wrong("too_long", f"最多 {longest} 个字。")
    text = _HIDDEN.sub("", unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))).strip()
    if len(text) > longest:
        raise Wrong("too_long", f"最多 {longest} 个字，现在有 {len(text)} 个。")
    if not text:
        raise Wrong("blank", "这一项要填文字。")
    return text


def _text(field: Field, raw: object, known: Known) -> str:
    return " ".join(clean_text(raw, LONGEST["text"]).split())


def _long_text(field: Field, raw: object, known: Known) -> str:
    return clean_text(raw, LONGEST["long_text"])


def _folded(raw: object, longest: int = 200) -> str:
    return unicodedata.normalize("NFKC", clean_text(raw, longest))


def _integer(field: Field, raw: object, known: Known) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**15:
        return raw
    text = _folded(raw).replace(",", "") if isinstance(raw, str) else ""
    if not _INTEGER.fullmatch(text):
        raise Wrong("not_integer", "这一项要填整数，例如 3。")
    return int(text)


def _decimal(field: Field, raw: object, known: Known) -> str:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    text = _folded(text).replace(",", "") if isinstance(text, str) else ""
    if not _DECIMAL.fullmatch(text):
        raise Wrong("not_number", "这一项要填数字，例如 12.5。")
    number = (Decimal(text) + 0).normalize()
    if -int(number.as_tuple().exponent) > field.places:
        raise Wrong("too_many_places", f"最多 {field.places} 位小数。")
    return f"{number:f}"


def _day(field: Field, raw: object, known: Known) -> str:
    text = re.sub(r"[年月/.]", "-", _folded(raw)).replace("日", "") if isinstance(raw, str) else ""
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text, re.ASCII)
    try:
        day = dt.date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or not _YEARS[0] <= day.year < _YEARS[1]:
        raise Wrong("not_day", "日期要写成 2026-09-01 的样子，请核对年月日。")
    return day.isoformat()


def _month(field: Field, raw: object, known: Known) -> str:
    text = re.sub(r"[年/.]", "-", _folded(raw)).replace("月", "") if isinstance(raw, str) else ""
    if re.fullmatch(r"\d{4}-\d", text, re.ASCII):
        text = f"{text[:5]}0{text[5:]}"
    if not _MONTH.fullmatch(text) or not _YEARS[0] <= int(text[:4]) < _YEARS[1]:
        raise Wrong("not_month", "年月要写成 2026-09 的样子。")
    return text


def _code(field: Field, raw: object, known: Known) -> str:
    if not isinstance(raw, str) or len(raw) > 60:
        raise Wrong("not_choice", "请从列出的选项里选。")
    return raw.strip()


def _codes(field: Field, raw: object, known: Known) -> list[str]:
    if isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, list | tuple) or len(raw) > MOST_CHOSEN:
        raise Wrong("not_choice", "请从列出的选项里选。")
    return list(dict.fromkeys(_code(field, each, known) for each in raw if not is_blank(each)))


_YES: Final = frozenset({"1", "true", "yes", "是", "有"})
_NO: Final = frozenset({"0", "false", "no", "否", "无"})


def _yes_no(field: Field, raw: object, known: Known) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in _YES | _NO:
        raise Wrong("not_yes_no", "请选“是”或“否”。")
    return word in _YES


def _phone(field: Field, raw: object, known: Known) -> str:
    digits = re.sub(r"[\s\-()]", "", _folded(raw)) if isinstance(raw, str) else ""
    digits = re.sub(r"^(?:\+|00)?86(?=1\d{10}$)", "", digits)
    if not _MOBILE.fullmatch(digits):
        raise Wrong("not_phone", "手机号要是 11 位数字，以 1 开头，请核对。")
    return digits


def _identity(field: Field, raw: object, known: Known) -> str:
    number = re.sub(r"\s", "", _folded(raw)).upper() if isinstance(raw, str) else ""
    carried = carried_by(number)
    if carried is None:
        raise Wrong("not_identity", "身份证号不对：要有 18 位，末位是数字或 X。请对照证件核对。")
    return number


def _name(field: Field, raw: object, known: Known) -> str:
    name = " ".join(re.sub("[•‧・．]", "·", clean_text(raw, LONGEST["name"])).split())
    if not (_CHINESE_NAME.fullmatch(name.replace(" ", "")) or _LATIN_NAME.fullmatch(name)):
        raise Wrong("not_name", "姓名请照证件填写：两个以上汉字或字母，不要带数字和符号。")
    return name.replace(" ", "") if _CHINESE_NAME.fullmatch(name.replace(" ", "")) else name


_LEVEL_NAMES: Final = {"district": "区", "street": "街镇", "committee": "居委"}


def _region(field: Field, raw: object, known: Known) -> str:
    code = raw.strip() if isinstance(raw, str) and len(raw) < 20 else ""
    if not code or known.region(code, field.level) is None:
        raise Wrong("not_region", f"请从列出的{_LEVEL_NAMES.get(field.level, '区划')}里选。")
    return code


def _address(field: Field, raw: object, known: Known) -> str:
    parts = parse(clean_text(raw, LONGEST["address"]))
    placed = (parts.road or parts.estate or parts.village) and (
        parts.number or parts.lane or parts.group or parts.hamlet
    )
    if not placed:
        raise Wrong("not_address", "地址要写到门牌，例如“黄浦区淮海中路45弄3号601室”。")
    return full_text(parts)[: LONGEST["address"]]


def _place(field: Field, raw: object, known: Known) -> int:
    text = str(raw).strip() if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    if (
        not (text.isascii() and text.isdecimal() and len(text) < 16)
        or known.place(int(text), field.facility_kind) is None
    ):
        raise Wrong("not_place", "请从列出的机构里选。")
    return int(text)


Reader = Callable[[Field, object, Known], Any]
_READERS: Final[dict[str, Reader]] = {
    "text": _text, "long_text": _long_text, "integer": _integer, "decimal": _decimal, "day": _day, "month": _month,
    "choice": _code, "choices": _codes, "yes_no": _yes_no, "phone": _phone, "identity": _identity, "name": _name,
    "region": _region, "address": _address, "place": _place,
}  # fmt: skip
