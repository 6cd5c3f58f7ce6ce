"""The rule by which certificates are coded: domain, category, and a running number of three digits, as XQ-HJ-001. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from geo.errors import BadInput, Conflict

CODE: Final = re.compile(r"(?P<domain>[A-Z]{2,4})-(?P<category>[A-Z]{2,4})-(?P<number>\d{3})", re.ASCII)
RULE: Final = "编码由领域、分类和三位流水号组成，例如 XQ-HJ-001：XQ 学前、HJ 户籍类、001 第一种。"


def check_code(code: str, category: str) -> None:
    """Raise ``BadInput`` for a code that does not follow the rule, or names another category than the certificate has."""
    found = CODE.fullmatch(code)
    if found is None:
        raise BadInput("code_invalid", f"材料编码不对。{RULE}")
    if found["category"] != category:
        raise BadInput("code_category", f"编码中间一段“{found['category']}”与所选分类“{category}”不一致。{RULE}")


def next_code(domain: str, category: str, known: Iterable[str]) -> str:
    """Return the first code of a domain and category after all known ones, withdrawn ones too. Raises ``BadInput``,
    ``Conflict``."""
    if not re.fullmatch(r"[A-Z]{2,4}", domain, re.ASCII):
        raise BadInput("code_domain", "领域代码要是 2 到 4 个大写字母，例如 XQ（学前）、YL（养老）。")
    start = f"{domain}-{category}-"
    numbers = [int(code[len(start) :]) for code in known if code.startswith(start) and CODE.fullmatch(code)]
    number = max(numbers, default=0) + 1
    if number > 999:
        raise Conflict("code_exhausted", f"{start} 下已经有 999 种材料，请换一个领域代码。")
    return f"{start}{number:03d}"
