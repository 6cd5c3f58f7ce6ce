"""What a district changes of a field or a certificate, held against what the city allows: stricter is allowed, looser is
not. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from geo.errors import BadInput
from services.kernel.forms.answering.patterns import check_pattern
from services.kernel.forms.spec import CHANGES, Certificate, Change, Checks, Dictionary, Field

LONGEST_LABEL: Final = 60
LONGEST_HELP: Final = 300
FIELD_KEYS: Final = frozenset({"label", "help", "always", "checks", "codes"})
PAPER_KEYS: Final = frozenset({"label", "help", "always", "least", "most", "types", "most_bytes"})


def change_field(field: Field, raw: Mapping[str, Any], dictionaries: Mapping[str, Dictionary]) -> Field:
    """Return a field with the changes of an item of a composition. Raises ``BadInput`` for one that is not allowed."""
    label, help_text = _words(field.label, field.help, raw)
    changed = replace(field, label=label, help=help_text)
    _allowed(field.label, field.changes, "label", label != field.label)
    _allowed(field.label, field.changes, "help", help_text != field.help)
    checks = _checked(field, raw.get("checks") or {})
    if raw.get("always") is not None:
        required = bool(raw["always"])
        _allowed(field.label, field.changes, "required", required != field.checks.required)
        checks = replace(checks, required=required)
    if raw.get("codes"):
        _allowed(field.label, field.changes, "choices", True)
    return replace(changed, checks=checks)


def change_certificate(certificate: Certificate, raw: Mapping[str, Any]) -> Certificate:
    """Return a certificate with the changes of an item of a composition. Raises ``BadInput`` for one that is not allowed."""
    name, description = _words(certificate.name, certificate.description, raw)
    least, most = (_count(raw.get(key), getattr(certificate, key)) for key in ("least", "most"))
    size = _count(raw.get("most_bytes"), certificate.most_bytes)
    types = tuple(one for one in certificate.types if one in raw["types"]) if raw.get("types") else certificate.types
    if raw.get("always") is not None:
        least = max(1, least) if raw["always"] else 0
    _allowed(certificate.name, certificate.changes, "label", name != certificate.name)
    _allowed(certificate.name, certificate.changes, "help", description != certificate.description)
    _allowed(certificate.name, certificate.changes, "required", (least > 0) != (certificate.least > 0))
    limits = (most, size, types) != (certificate.most, certificate.most_bytes, certificate.types)
    _allowed(certificate.name, certificate.changes, "checks", limits)
    if not 1 <= most <= certificate.most:
        raise BadInput("paper_most", f"“{name}”的数量上限要在 1 到 {certificate.most} 之间（全市上限）。")
    if least > most:
        raise BadInput("paper_least", f"“{name}”至少要的数量不能多于上限 {most}。")
    if not 100_000 <= size <= certificate.most_bytes:
        said = certificate.most_bytes // 1_000_000
        raise BadInput("paper_size", f"“{name}”单个文件的上限要在 0.1 到 {said} MB 之间（全市上限）。")
    if not types:
        raise BadInput("paper_types", f"“{name}”至少要留一种文件格式。")
    return replace(
        certificate, name=name, description=description, least=least, most=most, types=types, most_bytes=size
    )


def check_checks(field: Field) -> None:
    """Raise ``BadInput`` for checks of a field that cannot be meant, whoever wrote them."""
    checks = field.checks
    for low, high in ((checks.shortest, checks.longest), (_number(checks.least), _number(checks.most))):
        if low is not None and high is not None and low > high:
            raise BadInput("checks_backwards", f"“{field.label}”的下限比上限大，请核对。")
    days = [_day(bound, field.label) for bound in (checks.earliest, checks.latest)]
    if days[0] and days[1] and days[0] > days[1]:
        raise BadInput("checks_backwards", f"“{field.label}”的最早日期晚于最晚日期，请核对。")
    if checks.pattern:
        check_pattern(checks.pattern)
        if field.kind not in ("text", "long_text", "name", "phone", "identity", "address"):
            raise BadInput("pattern_unfit", f"“{field.label}”不是文字，不能设格式规则。")


def _words(label: str, help_text: str, raw: Mapping[str, Any]) -> tuple[str, str]:
    own_label, own_help = str(raw.get("label") or "").strip(), raw.get("help")
    return own_label[:LONGEST_LABEL] or label, help_text if own_help is None else str(own_help).strip()[:LONGEST_HELP]


def _allowed(name: str, changes: tuple[Change, ...], change: Change, differs: bool) -> None:
    if differs and change not in changes:
        raise BadInput("change_refused", f"“{name}”的{CHANGES[change]}由全市统一，各区不能改。")


def _checked(field: Field, raw: Mapping[str, Any]) -> Checks:
    """Return the checks of a field made stricter. Raises ``BadInput`` where they would be looser, or cannot be meant."""
    if not raw:
        return field.checks
    _allowed(field.label, field.changes, "checks", True)
    city = field.checks
    try:
        mine = Checks(
            required=city.required,
            shortest=_whole(raw.get("shortest"), city.shortest),
            longest=_whole(raw.get("longest"), city.longest),
            least=_plain(raw.get("least"), city.least),
            most=_plain(raw.get("most"), city.most),
            earliest=str(raw.get("earliest") or "") or city.earliest,
            latest=str(raw.get("latest") or "") or city.latest,
            pattern=city.pattern or str(raw.get("pattern") or ""),
            pattern_says=city.pattern_says if city.pattern else str(raw.get("pattern_says") or "")[:200],
        )
    except (ValueError, InvalidOperation):
        raise BadInput("checks_invalid", f"“{field.label}”的检验规则要填数字。") from None
    if raw.get("pattern") and city.pattern and raw["pattern"] != city.pattern:
        raise BadInput("change_refused", f"“{field.label}”的格式规则由全市统一，各区不能改。")
    changed = replace(field, checks=mine)
    check_checks(changed)
    if _looser(city, mine):
        raise BadInput("checks_looser", f"“{field.label}”的检验规则只能比全市更严，不能放宽。")
    return mine


def _looser(city: Checks, mine: Checks) -> bool:
    lower = ((city.shortest, mine.shortest), (_number(city.least), _number(mine.least)))
    upper = ((city.longest, mine.longest), (_number(city.most), _number(mine.most)))
    if any(was is not None and (now is None or now < was) for was, now in lower):
        return True
    if any(was is not None and (now is None or now > was) for was, now in upper):
        return True
    # a bound that moves with the day cannot be compared with one that stands still: it stays as the city set it
    moves = any(was and was != now and "today" in (was, now) for was, now in
                ((city.earliest, mine.earliest), (city.latest, mine.latest)))  # fmt: skip
    if moves:
        return True
    earlier = bool(city.earliest and mine.earliest and mine.earliest < city.earliest)
    return earlier or bool(city.latest and mine.latest and mine.latest > city.latest)


def _count(raw: object, otherwise: int) -> int:
    if raw in (None, ""):
        return otherwise
    try:
        return int(str(raw))
    except ValueError:
        raise BadInput("count_invalid", "数量要填整数。") from None


def _whole(raw: object, otherwise: int | None) -> int | None:
    if raw in (None, ""):
        return otherwise
    number = int(str(raw))
    if not 0 <= number <= 10_000:
        raise ValueError("beyond bounds")
    return number


def _plain(raw: object, otherwise: str | None) -> str | None:
    if raw in (None, ""):
        return otherwise
    number = Decimal(str(raw).strip())
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise ValueError("beyond bounds")
    return f"{number:f}"


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(bound: str | None, label: str) -> dt.date | None:
    if not bound or bound == "today":
        return None
    try:
        return dt.date.fromisoformat(bound)
    except ValueError:
        raise BadInput("checks_day", f"“{label}”的日期界限要写成 2026-09-01，或 today。") from None
