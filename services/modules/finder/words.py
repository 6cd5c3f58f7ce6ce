"""The words of reports: what may be wrong with a place, and how much may be said of it. Pure."""

from __future__ import annotations

from typing import Final

MOST_WORDS: Final = 300
MOST_NOTE: Final = 100
WRONG: Final = (
    ("position", "位置或地址不对"),
    ("hours", "开放时间不对"),
    ("phone", "电话打不通或不对"),
    ("vacancies", "余位不对"),
    ("closed", "已经关门、搬走"),
    ("fees", "收费不对"),
    ("name", "名称不对"),
    ("other", "其他"),
)
