"""What is counted of facilities: those that are open, what room they have, their shares, and streets that have one."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from layers.facts.spec import FactSpec
from layers.spec import Choice
from services.facilities.coverage import street_coverage
from services.facilities.kinds import kinds_named

_OPEN = """(SELECT f.id, f.region_id, f.cell, f.kind_id, k."group", f.places, f.attributes FROM facilities_facility f
JOIN facilities_facilitykind k ON k.key = f.kind_id WHERE f.retired_at IS NULL AND f.status = 'open')"""
_KINDS = (Choice("kinds", 't.kind_id = ANY(%(kinds)s) OR t."group" = ANY(%(kinds)s)'),)
_TOUCHED = "(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)"
_WITH_PLACES = ("f.places.from", "0")
_INTEGRATED, _BABY_HOUSE = "kindergarten_nursery", "baby_house"


def _listed(group: str, *more: tuple[str, str]) -> Callable[[], tuple[tuple[str, str], ...]]:
    """Return what asks the ledger for the open places of a group of kinds, as the kinds are then."""
    return lambda: (("f.status", "open"), *(("f.kind_id", key) for key in kinds_named(group)), *more)


def _group(name: str, where: str = "TRUE") -> str:
    return f"""(SELECT * FROM {_OPEN} o WHERE o."group" = '{name}' AND {where})"""


_SOURCE = "各类设施台账，由机构和街镇维护"
_counted = partial(
    FactSpec,
    category="places",
    region="t.region_id",
    cell="t.cell",
    choices=_KINDS,
    ledger="facilities",
    families=("facilities",),
    touched=_TOUCHED,
    source=_SOURCE,
)
PLACES = _counted(
    key="places",
    title="服务设施",
    summary="正在开放的服务设施，一家算一处。",
    unit="处",
    table=_OPEN,
    asks=(("f.status", "open"),),
)

CHILDCARE = _counted(
    key="childcare",
    title="托育机构",
    summary="正在开放的托育机构，一家算一处；比率按 0–2 岁居民计。",
    unit="处",
    table=_group("childcare"),
    per=(0, 2),
    asks=_listed("childcare"),
)
KINDERGARTENS = _counted(
    key="kindergartens",
    title="幼儿园",
    summary="正在开放的幼儿园，一所算一处；比率按 3–5 岁居民计。",
    unit="处",
    table=_group("preschool"),
    per=(3, 5),
    asks=_listed("preschool"),
)
INCLUSIVE = replace(
    KINDERGARTENS,
    key="inclusive_kindergartens",
    title="普惠性幼儿园",
    summary="正在开放、登记为普惠的幼儿园，一所算一处；比率按 3–5 岁居民计。",
    table=_group("preschool", "(o.attributes->>'inclusive')::boolean"),
    asks=_listed("preschool", ("f.attributes__inclusive", "1")),
)
_BABY_HOUSES = replace(CHILDCARE, key="baby_houses", table=_group("childcare", f"o.kind_id = '{_BABY_HOUSE}'"))

FACTS = (
    PLACES,
    _counted(
        key="elder_places",
        title="养老服务设施",
        summary="正在开放的养老服务设施，一家算一处；比率按 60 岁及以上居民计。",
        unit="处",
        table=_group("eldercare"),
        per=(60, 200),
        asks=_listed("eldercare"),
    ),
    _counted(
        key="elder_beds",
        title="养老床位和名额",
        summary="正在开放的养老服务设施登记的床位和名额；没有登记的不算。比率按 60 岁及以上居民计。",
        unit="个",
        table=_group("eldercare", "o.places IS NOT NULL"),
        weight="t.places",
        per=(60, 200),
        asks=_listed("eldercare", _WITH_PLACES),
    ),
    CHILDCARE,
    _counted(
        key="childcare_places",
        title="托位",
        summary="正在开放的托育机构登记的托位；没有登记的不算。比率按 0–2 岁居民计。",
        unit="个",
        table=_group("childcare", "o.places IS NOT NULL"),
        weight="t.places",
        per=(0, 2),
        asks=_listed("childcare", _WITH_PLACES),
    ),
    KINDERGARTENS,
    replace(
        CHILDCARE,
        key="integrated_share",
        title="托幼一体园占比",
        summary="正在开放的托育机构里，托幼一体园（幼儿园办的托班）占百分之几。",
        unit="%",
        table=_group("childcare", f"o.kind_id = '{_INTEGRATED}'"),
        cell="",
        per=None,
        choices=(),
        asks=(("f.status", "open"), ("f.kind_id", _INTEGRATED)),
        over=CHILDCARE,
        times=100.0,
    ),
    replace(
        CHILDCARE,
        key="integrated_public_share",
        title="公办托幼一体园占比",
        summary="正在开放的托育机构里，公办的托幼一体园占百分之几。",
        unit="%",
        table=_group("childcare", f"o.kind_id = '{_INTEGRATED}' AND o.attributes->>'ownership' = 'public'"),
        cell="",
        per=None,
        choices=(),
        asks=(("f.status", "open"), ("f.kind_id", _INTEGRATED), ("f.attributes__ownership", "public")),
        over=CHILDCARE,
        times=100.0,
    ),
    FactSpec(
        key="baby_house_streets",
        title="“宝宝屋”街镇覆盖率",
        summary="有正在开放的社区托育宝宝屋的街镇，占全部街镇的百分之几；一个街镇自己有就是 100，没有就是 0。",
        unit="%",
        category="places",
        table="",
        region="",
        worked_out=partial(street_coverage, _BABY_HOUSES),
        families=("facilities", "regions"),
        touched=_TOUCHED,
        source=_SOURCE,
    ),
    INCLUSIVE,
    replace(
        INCLUSIVE,
        key="inclusive_share",
        title="普惠性幼儿园占比",
        summary="正在开放的幼儿园里，登记为普惠的占百分之几。",
        unit="%",
        cell="",
        per=None,
        choices=(),
        over=KINDERGARTENS,
        times=100.0,
    ),
)
