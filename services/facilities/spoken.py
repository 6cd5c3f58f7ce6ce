"""A question in people's own words read by declared patterns: what is looked for, how far, what it must offer, and around where.

No guessing: every piece that was understood is told with the words it came from, and what is left over is told too. Pure but
for the names of kinds that staff added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.facilities.kinds import every_kind

LONGEST: Final = 100


class Heard(NamedTuple):
    """Words that were understood, and what they mean."""

    words: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question says: a kind or group, minutes, a traveller, filters by parameter, and a place to begin from.

    ``here`` says that somebody means where he is. ``left`` are words that mean nothing to us.
    """

    kinds: str = ""
    minutes: int | None = None
    mode: str = ""
    needs: tuple[tuple[str, str], ...] = ()
    where: str = ""
    here: bool = False
    heard: tuple[Heard, ...] = ()
    left: tuple[str, ...] = ()


KINDS: Final = (
    ("canteen", "长者食堂", r"(?:长者|老年|老人|社区|为老)?(?:食堂|饭堂|助餐点|助餐)|吃(?:午饭|晚饭|饭)|午饭|晚饭"),
    ("day_care", "日间照护中心", r"(?:老人|长者|老年)?(?:日间照(?:护|料)(?:中心)?|日托|日照中心)"),
    ("elder_home", "长者照护之家", r"(?:长者)?照护之家"),
    ("home_care", "居家养老服务机构", r"居家养老(?:服务)?(?:机构|中心|社)?|上门照(?:顾|护)"),
    ("exercise_home", "长者运动健康之家", r"(?:长者)?运动(?:健康)?之家"),
    ("elder_station", "家门口养老服务站", r"(?:家门口(?:的)?)?养老(?:服务)?站"),
    ("care_home", "养老机构", r"养老院|敬老院|护理院|养老机构|老人院|福利院"),
    ("service_centre", "综合为老服务中心", r"(?:综合)?为老(?:服务)?中心"),
    ("neighbour_point", "睦邻点", r"睦邻点"),
    ("activity_room", "老年活动室", r"(?:老年|老人)?活动(?:室|中心)|打牌|下棋|棋牌室"),
    ("nursing_station", "护理站", r"护理站|上门护理|打针|换药"),
    ("adviser_site", "养老顾问点", r"养老顾问点?|顾问点"),
    ("health_centre", "社区卫生服务中心", r"社区卫生(?:服务)?中心|社区医院|配药|看病"),
    ("hospital", "医院", r"医院"),
    ("pharmacy", "药店", r"药店|药房|买药"),
    ("market", "菜市场", r"菜市?场|买菜"),
    ("affairs_centre", "社区事务受理服务中心", r"(?:社区)?事务(?:受理)?(?:服务)?中心|受理中心"),
    ("eldercare", "养老服务", r"养老服务|为老服务|养老"),
)
"""Key, what is said back, pattern; the first that is found counts, so that the whole group comes last."""
MODES: Final = (
    ("wheelchair", "坐轮椅去", r"(?:坐|推)?轮椅"),
    ("bicycle", "骑车去", r"骑(?:自行)?车|骑过去"),
    ("car", "开车去", r"开车|驾车|坐车"),
    ("elder", "老人走路去", r"(?:老人)?(?:走路|步行|走得?到|走过去|慢慢走)"),
)
NEEDS: Final = (
    ("delivers", "1", "可送餐", r"(?:能|可以?)?送(?:餐|饭|到家|上门)(?:上门|到家)?"),
    ("memory_care", "1", "有认知症照护", r"认知症(?:照护)?|失智|(?:老年)?痴呆"),
    ("medical_insurance", "1", "可用医保", r"(?:能|可以?)?(?:用|刷)?医保"),
    ("step_free", "1", "无障碍出入", r"无障碍|没有?台阶|有坡道"),
    ("has_vacancy", "1", "有余位", r"(?:还)?有(?:空位|床位|余位|空床|位子|位置)"),
    ("open_holiday", "1", "节假日开放", r"节假日(?:开放?)?|过节(?:开)?|过年(?:开)?"),
    ("open_now", "1", "现在营业", r"(?:现在|这会儿|正)(?:还)?(?:开着?|营业)(?:的|门)?"),
    ("ownership", "public", "公办", r"公办|公立"),
    ("ownership", "private", "民办", r"民办|私立"),
)
HERE: Final = re.compile(r"我(?:们)?(?:家|这里|这边|这儿|现在的位置)|这里|家门口")
NEAR: Final = re.compile(r"(?:附近|周边|周围|旁边|边上)")
FILLER: Final = re.compile(
    r"哪里有|哪里|哪儿有|哪儿|哪有|哪家|哪些|有没有|有什么|有啥|在什么地方|什么地方|请问|帮我|我想要?|想要?|我要|要找|找一?[家个下]?|"
    r"查一?[查下]?|看一?[看下]?|最近的?|近一?点的?|近的|可以|能够?|以内|之内|范围|到的|一家|几家|[，。、？?！!,.\s]"
)
BEFORE: Final = "的在去到从离我找"
BEHIND: Final = "的吗呢啊吧呀有能"
"""Signs that only join: taken off the ends of a piece, where no name of a place has them."""
_DIGITS: Final = {word: at for at, word in enumerate("零一二三四五六七八九")} | {"两": 2}
_TIME: Final = re.compile(
    r"(\d{1,3}|半|[一二两三四五六七八九十]{1,3})\s*(个半|个)?(分钟|分|刻钟|刻|小时|钟头)(?:以内|之内|内|里)?"
)


def understand(text: str) -> Understood:
    """Return what a question says; of two kinds or two times the first of our order counts, and the other is left over."""
    rest = text.strip()[:LONGEST]
    heard: list[Heard] = []
    minutes, rest = _minutes(rest, heard)
    needs, rest = _needs(rest, heard)
    kinds, rest = _kind(rest, heard)
    mode, rest = _mode(rest, heard)
    here = HERE.search(rest) is not None
    if here:
        heard.append(Heard(HERE.search(rest)[0], "从您的位置出发"))  # type: ignore[index]
    rest = HERE.sub("\n", rest)
    pieces = list(_pieces(rest))
    before_near = _before_near(rest)
    where = before_near or max(pieces, key=len, default="")
    left = tuple(piece for piece in pieces if piece != where and len(piece) > 1)
    near = NEAR.search(rest) is not None
    return Understood(kinds, minutes, mode, needs, where, here or (near and not where), tuple(heard), left)


def _minutes(text: str, heard: list[Heard]) -> tuple[int | None, str]:
    found = _TIME.search(text)
    if found is None:
        return None, text
    number, half, unit = found[1], found[2] == "个半", found[3]
    one = {"分": 1, "分钟": 1, "刻": 15, "刻钟": 15}.get(unit, 60)
    minutes = one // 2 if number == "半" else _number(number) * one + (one // 2 if half else 0)
    heard.append(Heard(found[0], f"{minutes} 分钟以内"))
    return minutes, _without(text, found)


def _number(said: str) -> int:
    if said.isdigit():
        return int(said)
    tens, ten, ones = said.rpartition("十") if "十" in said else ("", "", said)
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


def _needs(text: str, heard: list[Heard]) -> tuple[tuple[tuple[str, str], ...], str]:
    needs: list[tuple[str, str]] = []
    for key, value, meaning, pattern in NEEDS:
        found = re.search(pattern, text)
        if found and key not in dict(needs):
            needs.append((key, value))
            heard.append(Heard(found[0], meaning))
            text = _without(text, found)
    return tuple(needs), text


def _kind(text: str, heard: list[Heard]) -> tuple[str, str]:
    named = [(kind.key, kind.name, re.escape(kind.name)) for kind in every_kind()]
    for key, meaning, pattern in (*KINDS[:-1], *named, KINDS[-1]):
        if found := re.search(pattern, text):
            heard.append(Heard(found[0], f"找{meaning}"))
            return key, _without(text, found)
    return "", text


def _mode(text: str, heard: list[Heard]) -> tuple[str, str]:
    for key, meaning, pattern in MODES:
        if found := re.search(pattern, text):
            heard.append(Heard(found[0], meaning))
            return key, _without(text, found)
    return "", text


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]}\n{text[found.end() :]}"


def _before_near(text: str) -> str:
    """Return the piece that stands right before 附近, which is a place whatever else is said."""
    found = NEAR.search(text)
    pieces = list(_pieces(text[: found.start()])) if found else []
    return pieces[-1] if pieces else ""


def _pieces(text: str) -> Iterator[str]:
    for piece in FILLER.sub("\n", NEAR.sub("\n", text)).split("\n"):
        if stripped := piece.lstrip(BEFORE).rstrip(BEHIND):
            yield stripped
