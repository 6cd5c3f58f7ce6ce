"""The closed lists of the advisers: codes and what they are called. Pure."""

from __future__ import annotations

from typing import Final

from services.facilities.kinds.declared import DECLARED_BY_KEY

Words = tuple[tuple[str, str], ...]

LEVELS: Final[Words] = next(
    each.choices for each in DECLARED_BY_KEY["adviser_site"].attributes if each.key == "adviser_level"
)
ENGAGED: Final[Words] = (("full", "专职"), ("part", "兼职"))
WAYS: Final[Words] = (("here", "现场"), ("phone", "电话"), ("home", "上门"), ("online", "线上"))
TOPICS: Final[Words] = (
    ("policy", "养老政策"),
    ("homes", "机构入住"),
    ("home_care", "居家照护"),
    ("meals", "助餐"),
    ("insurance", "长护险"),
    ("subsidy", "补贴和津贴"),
    ("fitting", "适老化改造"),
    ("health", "医疗康复"),
    ("rights", "权益和防诈骗"),
    ("other", "其他"),
)
AGE_BANDS: Final[Words] = (
    ("under_60", "60岁以下"),
    ("60s", "60–69岁"),
    ("70s", "70–79岁"),
    ("80s", "80–89岁"),
    ("90up", "90岁以上"),
)
RESULTS: Final[Words] = (
    ("answered", "当场答复"),
    ("referred", "转介服务"),
    ("applied", "协助申请"),
    ("follow_up", "需要跟进"),
)
