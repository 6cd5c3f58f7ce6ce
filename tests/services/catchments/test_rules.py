"""Rules of addresses: read as districts write them, matched and explained, held against each other. Invented streets."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.addresses.parsing import parse
from services.catchments.doors import Door, Rule
from services.catchments.findings import findings, shared_door
from services.catchments.matching import RuleBook, door_of
from services.catchments.writing import LONGEST, REASONS, fold, read_rule
from tests.services.catchments.invented import ANNEXES, EVERY_DOOR, LANES, NUMBERS, SaidRule, rules

TOGETHER = settings(max_examples=60, deadline=None)


def rule(text: str, target: str = "甲园") -> Rule:
    reading = read_rule(text)
    assert reading.faults == ()
    return reading.rule(target)


def written(text: str) -> list[str]:
    reading = read_rule(text)
    assert reading.faults == ()
    return [one.said for one in reading.covers] + [f"除{one.said}" for one in reading.excepts]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (
            "武夷路1-199号（单号）、405弄1-30号，1018弄全弄",
            ["武夷路1-199号（单号）", "武夷路405弄1-30号", "武夷路1018弄"],
        ),
        ("武夷路18、20、22号", ["武夷路18号", "武夷路20号", "武夷路22号"]),
        ("武夷路18、20、22弄", ["武夷路18弄", "武夷路20弄", "武夷路22弄"]),
        ("武夷路405弄1、3、5号", ["武夷路405弄1号", "武夷路405弄3号", "武夷路405弄5号"]),
        ("长宁路 405弄(1-30号)", ["长宁路405弄1-30号"]),
        ("延安西路 1500——1800 双号", ["延安西路1500-1800（双号）"]),
        ("新华路200号及以上（双号）", ["新华路200号至底（双号）"]),
        ("番禺路５０号以下", ["番禺路1-50号"]),
        ("法华镇路100号至底 单号", ["法华镇路100号至底（单号）"]),
        ("武夷路（单号）", ["武夷路全部（单号）"]),
        ("武夷路、定西路全部", ["武夷路全部", "定西路全部"]),
        ("定西路100-300弄（双号）", ["定西路100-300弄（双号）"]),
        ("定西路（双弄）", ["定西路全部弄（双号）"]),
        ("定西路405弄(双号)", ["定西路405弄（双号）"]),
        ("定西路18号（双号）、9弄双号", ["定西路18号", "定西路9弄（双号）"]),
        ("定西路405弄、35号", ["定西路405弄", "定西路35号"]),
        ("愚园路18号甲、18号附1号", ["愚园路18号甲", "愚园路18号附1"]),
        ("愚园路1至99号不含附号", ["愚园路1-99号（不含附号）"]),
        ("和田路1号和3号", ["和田路1号", "和田路3号"]),
        ("武夷路全路（除25号、27号外）", ["武夷路全部", "除武夷路25号", "除武夷路27号"]),
        ("镇宁路405弄全弄（除5号、7号外）", ["镇宁路405弄", "除镇宁路405弄5号", "除镇宁路405弄7号"]),
        ("武夷路1-99号单号，除定西路5号以外", ["武夷路1-99号（单号）", "除定西路5号"]),
    ],
)
def test_what_districts_write_is_read_as_they_mean_it(text: str, means: list[str]) -> None:
    assert written(text) == means


@pytest.mark.parametrize(
    ("text", "reason", "piece"),
    [
        ("", "nothing", ""),
        ("　 ", "nothing", ""),
        ("405弄1-30号", "no_road", "405弄1-30号"),
        ("定西路18-1号", "backwards", "定西路18-1号"),
        ("定西路2-2单号", "parity", "定西路2-2单号"),
        ("定西路405弄1-30号、35号", "whose", "35号"),
        ("愚园路12号左右", "unreadable", "左右"),
        ("愚园路1号-20弄", "unreadable", "愚园路1号-20弄"),
        ("愚园路1-100000号", "too_high", "愚园路1-100000号"),
        ("武夷路1号、" * LONGEST, "too_long", ""),
        ("武夷路1号，除2-1号外", "backwards", "除2-1号外"),
    ],
)
def test_what_cannot_be_meant_is_told_where_it_stands(text: str, reason: str, piece: str) -> None:
    fault = read_rule(text).faults[0]
    assert (fault.reason, fault.written) == (reason, piece)
    assert fold(text)[fault.start : fault.end].startswith(piece)
    assert REASONS[reason] in fault.said


@TOGETHER
@given(rules())
def test_a_rule_reads_as_it_was_meant_and_holds_for_exactly_its_doors(said: SaidRule) -> None:
    reading = read_rule(said.text)
    assert reading.faults == ()
    assert (reading.covers, reading.excepts) == (said.covers, said.excepts)
    read = reading.rule("甲园")
    assert {door for door in EVERY_DOOR if read.holds(door)} == said.doors
    assert all(read.holds(door) is not None for door in EVERY_DOOR)


@TOGETHER
@given(rules(), st.sampled_from(sorted({door.road for door in EVERY_DOOR})), st.none() | st.sampled_from(list(LANES)))
def test_a_door_that_is_not_said_in_full_is_never_decided_wrongly(said: SaidRule, road: str, lane: int | None) -> None:
    verdict = read_rule(said.text).rule("甲园").holds(Door(road, lane))
    ways = [Door(road, lane, number, annex) for number in NUMBERS for annex in ANNEXES]
    if lane is None:
        ways += [Door(road, one, number, annex) for one in LANES for number in NUMBERS for annex in ANNEXES]
    inside = {door in said.doors for door in ways}
    assert verdict is None or inside == {verdict}


@TOGETHER
@given(rules(), rules())
def test_two_rules_are_told_to_overlap_when_a_door_is_in_both_and_only_then(one: SaidRule, other: SaidRule) -> None:
    first, second = read_rule(one.text).rule("甲园"), read_rule(other.text).rule("乙园")
    both = shared_door(first, second)
    assert (both is not None) == bool(one.doors & other.doors)
    if both is not None:
        assert first.holds(both)
        assert second.holds(both)
    told = [finding for finding in findings([first, second]) if finding.what == "overlap"]
    assert len(told) == (1 if both else 0)
    assert all(both is not None and both.said in finding.said for finding in told)


@TOGETHER
@given(rules())
def test_rules_without_doors_and_idle_exceptions_are_told(said: SaidRule) -> None:
    told = findings([read_rule(said.text).rule("甲园")])
    assert ([one.what for one in told] == ["empty"]) == (not said.doors)
    if said.doors:
        covered = {door for door in EVERY_DOOR if Rule("", said.covers).holds(door)}
        idle = [one for one in said.excepts if not any(one.holds(door) for door in covered)]
        assert [one.stretch for one in told] == idle


@TOGETHER
@given(st.lists(rules(), max_size=5), st.sampled_from(sorted(EVERY_DOOR, key=str)))
def test_the_outcome_names_every_rule_that_holds_and_says_why(said: list[SaidRule], door: Door) -> None:
    book = RuleBook(read_rule(one.text).rule(f"{number}园") for number, one in enumerate(said))
    outcome = book.match(door)
    holding = {f"{number}园" for number, one in enumerate(said) if door in one.doors}
    assert {verdict.rule.target for verdict in outcome.holding} == holding
    assert outcome.found == ("none", "one", "several")[min(len(holding), 2)]
    assert outcome.target == (holding.pop() if len(holding) == 1 else "")
    assert outcome.said
    assert all(door.said in sentence or door.road in sentence for sentence in outcome.said)


@given(st.text(alphabet="武夷路定西弄号单双全除外至底以上下、，()（）0123456789-甲附含不", max_size=40))
@example("除外")
@example("(" * 20)
@example("武夷路除除5号外外")
def test_no_text_breaks_the_reader_and_nothing_is_lost_silently(text: str) -> None:
    reading = read_rule(text)
    assert reading.covers or reading.excepts or reading.faults
    assert all(fault.start < fault.end or fault.reason == "nothing" for fault in reading.faults)


@pytest.mark.parametrize(
    ("address", "found", "says"),
    [
        ("武夷路13号", "one", "“武夷路13号”在“武夷路1-199号（单号）”里。"),
        ("武夷路12号", "none", "“武夷路12号”不是单号，“武夷路1-199号（单号）”只收单号。"),
        ("武夷路201号", "none", "不在“武夷路1-199号（单号）”的号码范围里。"),
        ("武夷路25号", "none", "这一条规则把它除外。"),
        ("武夷路405弄7号201室", "several", "“武夷路405弄7号”在“武夷路405弄1-30号”里。"),
        ("武夷路405弄", "unclear", "请把门牌号写全。"),
        ("武夷路", "unclear", "请把弄和门牌号写全。"),
        ("愚园路3号", "none", "没有一条规则写到“愚园路”。"),
    ],
)
def test_an_address_is_told_where_it_belongs_and_why(address: str, found: str, says: str) -> None:
    book = RuleBook([rule("武夷路1-199号（单号）、405弄1-30号，除武夷路25号外"), rule("武夷路405弄7号", "乙园")])
    door = door_of(parse(address))
    assert door is not None
    outcome = book.match(door)
    assert outcome.found == found
    assert any(says in sentence for sentence in outcome.said)


def test_addresses_without_one_door_have_none() -> None:
    assert door_of(parse("黄浦区老西门街道")) is None
    assert door_of(parse("武夷路4-77号")) is None
    assert door_of(parse("武夷路18号甲")) == Door("武夷路", None, 18, "甲")
    assert door_of(parse("武夷路405弄7号201室")) == Door("武夷路", 405, 7)


def test_an_overlap_is_shown_by_a_door() -> None:
    (told,) = findings([rule("武夷路1-199号（单号）"), rule("武夷路150号至底", "乙园")])
    assert told.said == "“武夷路151号”同时属于“甲园”和“乙园”，请改其中一条。"
    (idle,) = findings([rule("武夷路1-199号（单号），除武夷路20号外")])
    assert idle.said == "“甲园”的规则除外了“武夷路20号”，可它本来就不在里面，请核对。"
