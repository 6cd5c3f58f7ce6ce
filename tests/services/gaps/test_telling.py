"""What nobody may learn from 服务盲区: counts below ten, by taking any two figures from each other; and what is not known is not 0."""

from __future__ import annotations

import itertools

import pytest
from django.db.models import F
from django.test import Client

from geo.addresses.gazetteer import names_of, published_now
from geo.imports.models import Family, Source
from geo.regions.models import Population
from layers.disclosure import K
from services.gaps.queries import AGES
from tests.services.gaps.measured import HUANGPU, KIND, measure, persons_by_hand, told_by_hand
from tests.services.gaps.test_page import figures, planner, table_of, text_of

pytestmark = pytest.mark.usefixtures("city")
__all__ = ["planner"]


def republish(by: int) -> None:
    """Publish the residents again: what a process keeps of them is of one revision, and tests roll theirs back."""
    Source.objects.filter(family=Family.POPULATION).update(revision=F("revision") + by)


def committees_of(street: str) -> list[int]:
    names = names_of(published_now())
    path = names.by_code[street].path
    return [each for each in persons_by_hand() if names.regions[each].path.startswith(path)]


def streets() -> list[str]:
    regions = names_of(published_now()).regions.values()
    return [each.code for each in regions if each.level == "street" and each.code.startswith(HUANGPU)]


def test_no_two_figures_differ_by_fewer_than_ten_persons(planner: Client) -> None:
    street = max(streets(), key=lambda code: len(committees_of(code)))
    small = committees_of(street)[0]
    Population.objects.filter(region=small, age_from=80).update(persons=1)
    republish(101)
    measure()
    names, told = names_of(published_now()), told_by_hand()
    code = names.regions[small].code
    assert small not in told
    every: list[dict[str, list[str]]] = []
    for ages in AGES:
        every.append(table_of(planner, f"kind={KIND}&ages={ages}&region={street}"))
        every.append(table_of(planner, f"kind={KIND}&ages={ages}&region={HUANGPU}"))
    for lines in every[::2]:
        assert lines[code][2:12] == ["不公布"] * 10, "of a committee that is hidden nothing is told, for any ages"
        assert int(lines[code][13]) == 1
    for lines in every:
        for row in lines.values():
            if row[2].isdecimal():
                counts, _, gaps = figures(row)
                assert all(count % K == 0 for count in (*counts, *gaps))
    # Minutes against minutes, ages against ages, a street against the sum of its committees: none, or ten at least.
    by_code = [{key: figures(row)[0] for key, row in lines.items() if row[2].isdecimal()} for lines in every]
    for one, other in itertools.combinations(by_code, 2):
        for key in one.keys() & other.keys():
            for a, b in itertools.product(one[key], other[key]):
                assert a == b or abs(a - b) >= K
    for ages in AGES:
        below = table_of(planner, f"kind={KIND}&ages={ages}&region={street}")
        above = table_of(planner, f"kind={KIND}&ages={ages}&region={HUANGPU}")[street]
        low, high, _ = AGES[ages]
        own = sum(
            sum(told[each][at] for at, (first, last) in enumerate(((0, 2), (3, 5), (6, 59), (60, 79), (80, 200))) if low <= first and last <= high)
            for each in committees_of(street) if each in told
        )  # fmt: skip
        assert abs(int(above[2]) - own) <= K / 2, "the hidden ones are in no sum"
        assert below[""][2] == above[2]
        assert int(above[13]) >= 2


def test_a_region_without_published_figures_says_so_and_is_not_zero(planner: Client) -> None:
    Population.objects.all().delete()
    republish(102)
    measure()
    text = text_of(planner, f"kind={KIND}&region={HUANGPU}")
    assert "还没有能公布的3–5 岁居民人数" in text
    said = table_of(planner, f"kind={KIND}&region={HUANGPU}")
    for row in said.values():
        assert row[2:12] == ["—"] * 10
    assert any(row[12] != "—" for row in said.values()), "minutes are those of doors"
    assert "还没有公布居委的人口" in text


def test_where_everybody_is_too_few_nothing_is_told(planner: Client) -> None:
    Population.objects.all().update(persons=3)
    republish(103)
    measure()
    said = table_of(planner, f"kind={KIND}&region={HUANGPU}")
    for row in said.values():
        assert row[2:12] == ["不公布"] * 10
    assert "不公布" in text_of(planner, f"kind={KIND}&region={HUANGPU}")
