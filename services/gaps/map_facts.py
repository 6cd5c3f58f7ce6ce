"""What is told of gaps by region: how many of a hundred residents walk too long to the nearest place of a kind."""

from functools import partial

from layers.facts.spec import FactSpec
from services.gaps.duties import VIEW
from services.gaps.queries import gap_rates

_MINUTES = 15


def _gaps(kind: str, short: str, title: str, ages: str, whom: str) -> FactSpec:
    return FactSpec(
        key=f"gaps_{kind}",
        title=f"{short}缺口率",
        summary=f"走 {_MINUTES} 分钟到不了最近一家{title}的{whom}占比；100 减去它就是覆盖率。只算能公布的居委，人数取整到十。",
        unit="%",
        category="themes",
        table="",
        region="",
        worked_out=partial(gap_rates, kind, ages, _MINUTES),
        more_is_worse=True,
        duty=VIEW,
        page=f"/plan/gaps?kind={kind}&ages={ages}&minutes={_MINUTES}&region={{region}}",
        families=("regions", "population"),
        touched="(SELECT coalesce(extract(epoch FROM max(measured_at)), 0) || '-' || count(*) FROM gaps_gapwalk)",
        source="服务盲区的计算结果",
    )


FACTS = (
    _gaps("nursery", "托育", "托育机构", "0-2", "0–2 岁幼儿"),
    _gaps("kindergarten", "幼儿园", "幼儿园", "3-5", "3–5 岁幼儿"),
    _gaps("canteen", "长者食堂", "长者食堂", "60-", "60 岁及以上老人"),
)
