"""The words of comments and suggestions: what is rated, how much may be said, what a reviewer is hinted at. Pure."""

from __future__ import annotations

from typing import Final

ASPECTS: Final = (
    ("care", "服务态度"),
    ("clean", "环境卫生"),
    ("ease", "走动方便、无障碍"),
    ("clear", "收费明白"),
)
STARS: Final = (5, 4, 3, 2, 1)
STAR_WORDS: Final = {5: "很满意", 4: "满意", 3: "一般", 2: "不满意", 1: "很不满意"}
GROUPS_COMMENTED: Final = ("eldercare",)
"""Groups of kinds whose places may be commented on."""
MOST_WORDS: Final = 500
MOST_ANSWER: Final = 300
LEAST_FOR_MEAN: Final = 3
"""So many published comments before a mean is shown: one or two say more of their authors than of the place."""
A_DAY: Final = 10
"""Comments and suggestions an account may write or change in a day."""

FLAG_WHYS: Final = (
    ("abuse", "骂人、攻击"),
    ("false", "不是事实"),
    ("privacy", "说出了别人的隐私"),
    ("advert", "广告"),
    ("other", "其他"),
)
ABOUT: Final = (
    ("service", "服务内容"),
    ("place", "场所设施"),
    ("price", "收费"),
    ("map", "地图和资料"),
    ("other", "其他"),
)

_HINTS: Final = {
    "加微信": "像广告",
    "加我": "像广告",
    "扫码": "像广告",
    "优惠": "像广告",
    "http": "有网址",
    "www.": "有网址",
    "骗子": "指控，请核实",
    "黑心": "指控，请核实",
    "打人": "指控，请核实",
    "虐待": "指控，请马上核实",
    "傻": "骂人",
    "滚": "骂人",
    "身份证": "可能有隐私",
    "****": "号码已遮住",
}


def hints_in(text: str) -> list[str]:
    """Return what a reviewer should look at in a text, each once; nothing is refused because of it."""
    lowered = text.lower()
    return list(dict.fromkeys(f"“{word}”{why}" for word, why in _HINTS.items() if word in lowered))
