"""What of a secret may be shown to those who need to recognise it but not to read it. Pure."""

from __future__ import annotations

import re
from typing import Final

STAR: Final = "*"
PHONE: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
IDENTITY: Final = re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])")


def mask_phone(phone: str) -> str:
    """Return a phone number with its first three and last four digits: 138****0000. Short ones are hidden whole."""
    return _ends(phone, 3, 4)


def mask_identity(number: str) -> str:
    """Return an identity number with its region of two digits and its last two signs; the birthday is hidden."""
    return _ends(number, 2, 2)


def mask_name(name: str) -> str:
    """Return a name with the family name alone, as 张**; one sign alone is hidden."""
    name = name.strip()
    return STAR if len(name) == 1 else name[:1] + STAR * (len(name) - 1)


def mask_text(text: str) -> str:
    """Return a text with every mobile and identity number in it masked."""
    hidden = IDENTITY.sub(lambda found: mask_identity(found[0]), text)
    return PHONE.sub(lambda found: mask_phone(found[0]), hidden)


def _ends(text: str, first: int, last: int) -> str:
    text = text.strip()
    if len(text) <= first + last:
        return STAR * len(text)
    return text[:first] + STAR * (len(text) - first - last) + text[-last:]
