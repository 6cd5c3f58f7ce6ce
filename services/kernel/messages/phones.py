"""Mobile numbers of people as they are typed, and the one form in which they are sealed and compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from geo.errors import BadInput

MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
PHONE_FIELD: Final = "phone"


def normal_phone(typed: str) -> str:
    """Return a mobile number as eleven digits. Raises ``BadInput`` for anything that is none, without repeating it."""
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", typed))
    digits = re.sub(r"^(?:\+|00)?86(?=1\d{10}$)", "", digits)
    if not MOBILE.fullmatch(digits):
        raise BadInput("phone_invalid", "手机号要是 11 位数字，以 1 开头，请核对。")
    return digits
