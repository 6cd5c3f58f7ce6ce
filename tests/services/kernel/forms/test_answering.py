"""One declaration validates everywhere: reading, linkage, checks, schema; with what people, programs and attackers send."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import BadInput
from services.kernel.expressions import All, Condition
from services.kernel.forms.answering import link, loops_in, schema_of, validate
from services.kernel.forms.answering.identity import carried_by, check_sign
from services.kernel.forms.answering.patterns import check_pattern, matches
from services.kernel.forms.answering.words import masked, said
from services.kernel.forms.composing import Library, compose, composition_of, form_from, snapshot_of
from services.kernel.forms.spec import (
    Checks,
    CrossCheck,
    Dictionary,
    Field,
    Form,
    Offer,
    Question,
    Section,
    Term,
)
from services.modules.enrolment.forms import CERTIFICATES, DICTIONARIES, FIELDS, FORMS

TODAY = dt.date(2026, 9, 1)
LIBRARY = Library(
    {each.key: each for each in FIELDS},
    {each.code: each for each in CERTIFICATES},
    {each.key: each for each in DICTIONARIES},
)
SPEC = FORMS[0]
NO_CHECKS = Checks()
COLOURS = Dictionary("colour", "颜色", (Term("red", "红"), Term("blue", "蓝"), Term("grey", "灰", active=False)))


class Town:
    """Knows one street and two places."""

    def region(self, code: str, level: str) -> str | None:
        return {("310101013", "street"): "老西门街道", ("310101", "district"): "黄浦区"}.get((code, level))

    def place(self, number: int, kind: str) -> str | None:
        return {7: "示例幼儿园", 8: "示例托班"}.get(number)


def form(*questions: Question, checks: tuple[CrossCheck, ...] = ()) -> Form:
    return Form("f", "表", "e", (Section("一", questions),), checks, (COLOURS,))


def ask(kind: str, key: str = "a", *, checks: Checks = NO_CHECKS, **more: Any) -> Question:
    linkage = {name: more.pop(name) for name in ("shown", "required", "offers", "codes") if name in more}
    return Question(Field(key, key.upper(), kind, checks, **more), **linkage)  # type: ignore[arg-type]


def judge(one: Form, raw: dict[str, Any], **more: Any) -> Any:
    return validate(one, raw, known=Town(), today=TODAY, **more)


@pytest.mark.parametrize(
    ("kind", "raw", "kept"),
    [
        ("text", "  上\u202e海\x00 市 ", "上海 市"), ("text", "=1+1", "=1+1"), ("long_text", "一\r\n二", "一\n二"),
        ("integer", "１２", 12), ("integer", "1,000", 1000), ("integer", -5, -5), ("decimal", "012.50", "12.5"), ("decimal", "-0", "0"),
        ("decimal", "100", "100"), ("decimal", 3, "3"), ("day", "2026/9/1", "2026-09-01"), ("day", "2026年9月1日", "2026-09-01"),
        ("month", "2026年9月", "2026-09"), ("yes_no", "1", True), ("yes_no", False, False), ("yes_no", "否", False),
        ("phone", "+86 138-0000 0000", "13800000000"), ("identity", "31010120180915001x".replace("x", check_sign("31010120180915001")), "310101201809150018"),
        ("name", "阿卜杜拉•买买提", "阿卜杜拉·买买提"), ("name", "王 小 明", "王小明"), ("name", "Mary-Ann O’Neil", "Mary-Ann O’Neil"),
        ("region", "310101", "310101"), ("address", "淮海中路四十五弄3号601", "上海市淮海中路45弄3号601室"), ("place", "7", 7),
    ],
)  # fmt: skip
def test_an_answer_is_read_into_its_kept_form_and_read_again_stays_so(kind: str, raw: Any, kept: Any) -> None:
    found = judge(form(ask(kind)), {"a": raw})
    assert (found.answers, found.faults) == ({"a": kept}, ())
    assert judge(form(ask(kind)), {"a": kept}).answers == {"a": kept}


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("integer", "1.5", "not_integer"), ("integer", True, "not_integer"), ("integer", "9" * 30, "not_integer"), ("decimal", "1e9", "not_number"),
        ("decimal", "NaN", "not_number"), ("decimal", "1.234", "too_many_places"), ("day", "2026-02-30", "not_day"), ("day", "0001-01-01", "not_day"),
        ("month", "2026-13", "not_month"), ("yes_no", "maybe", "not_yes_no"), ("phone", "12345", "not_phone"), ("identity", "310101201809150011", "not_identity"),
        ("identity", "310101201813150013", "not_identity"), ("name", "王1", "not_name"), ("name", "<script>alert(1)</script>", "not_name"),
        ("region", "310110", "not_region"), ("address", "淮海中路", "not_address"), ("place", "9", "not_place"), ("place", "-1", "not_place"),
        ("text", ["a"], "not_text"), ("text", "x" * 201, "too_long"), ("text", {"a": 1}, "not_text"), ("choice", ["red"], "not_choice"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_code_and_words(kind: str, raw: Any, code: str) -> None:
    found = judge(form(ask(kind, dictionary="colour" if kind == "choice" else "")), {"a": raw})
    assert [fault.code for fault in found.faults] == [code]
    assert found.faults[0].sentence.endswith("。")
    assert "a" not in found.answers


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    st.integers(0, 999),
    st.sampled_from(["310101", "110101", "650100"]),
)
def test_identity_numbers_carry_birthday_and_sex_and_any_one_digit_changed_is_found(
    day: dt.date, order: int, region: str
) -> None:
    first = f"{region}{day:%Y%m%d}{order:03d}"
    number = first + check_sign(first)
    carried = carried_by(number)
    assert carried is not None
    assert (carried.birthday, carried.sex, carried.region) == (day, "男" if order % 2 else "女", region)
    for at in range(17):
        other = str((int(number[at]) + 1) % 10)
        assert carried_by(number[:at] + other + number[at + 1 :]) is None


def test_checks_of_every_sort() -> None:
    bounded = form(
        ask("text", "t", checks=Checks(shortest=2, longest=3)), ask("integer", "i", checks=Checks(least="1", most="5")),
        ask("decimal", "d", checks=Checks(least="0.5")), ask("day", "y", checks=Checks(earliest="2020-01-01", latest="today")),
        ask("choices", "c", checks=Checks(longest=1), dictionary="colour"), ask("text", "p", checks=Checks(pattern="[A-Z]{2}", pattern_says="两个大写字母。")),
        ask("month", "m", checks=Checks(latest="today")),
    )  # fmt: skip
    good = {"t": "ab", "i": 5, "d": "0.5", "y": "2026-09-01", "c": ["red"], "p": "AB", "m": "2026-09"}
    assert judge(bounded, good).good
    bad = {"t": "a", "i": 6, "d": "0.4", "y": "2026-09-02", "c": ["red", "blue"], "p": "ABC", "m": "2026-10"}
    codes = [fault.code for fault in judge(bounded, bad).faults]
    assert codes == ["too_short", "too_large", "too_small", "too_late", "too_long", "pattern", "too_late"]
    assert judge(bounded, {**good, "p": "a"}).faults[0].sentence == "两个大写字母。"


def test_linkage_shows_requires_and_narrows_and_what_hides_is_dropped() -> None:
    linked = form(
        ask("yes_no", "own"), ask("choice", "c", dictionary="colour", shown=Condition("own", "is", True),
                                  offers=(Offer(Condition("n", "more", 3), ("blue",)),)),
        ask("text", "why", shown=Condition("c", "is", "blue"), required=Condition("n", "more", 1)), ask("integer", "n"),
    )  # fmt: skip
    assert judge(linked, {"own": False, "c": "blue", "why": "smuggled"}).answers == {"own": False}
    assert judge(linked, {"own": True, "c": "blue", "why": "x"}).answers == {"own": True, "c": "blue", "why": "x"}
    assert [fault.field for fault in judge(linked, {"own": True, "c": "blue", "n": 2}).faults] == ["why"]
    assert [fault.code for fault in judge(linked, {"own": True, "c": "red", "n": 4}).faults] == ["not_offered"]
    assert link(linked, {"own": True, "n": 4}, TODAY).offered["c"] == ("blue",)
    assert [fault.code for fault in judge(linked, {"own": True, "c": "grey"}).faults] == ["not_offered"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.booleans()), st.data())
def test_linkage_agrees_with_settling_until_nothing_changes(raw: dict[str, bool], data: Any) -> None:
    keys = "abcdef"
    reads = {key: data.draw(st.sampled_from(["", *keys[:at]])) for at, key in enumerate(keys)}
    order = data.draw(st.permutations(keys))
    linked = form(
        *(ask("yes_no", key, shown=Condition(reads[key], "is", True) if reads[key] else None) for key in order)
    )
    shown = set(keys)
    while True:  # brute force: hide whatever has no reason to show, until nothing changes
        still = {key for key in shown if not reads[key] or (reads[key] in shown and raw.get(reads[key]) is True)}
        if still == shown:
            break
        shown = still
    assert link(linked, raw, TODAY).shown == shown
    assert set(judge(linked, raw).answers) == shown & set(raw)


def test_loops_are_found_and_told() -> None:
    one = ask("yes_no", "a", shown=Condition("b", "is", True))
    other = ask("yes_no", "b", required=All((Condition("c", "is", True),)))
    third = ask("yes_no", "c", shown=Condition("a", "is", True))
    assert set(loops_in((one, other, third))) == {"a", "b", "c"}
    assert loops_in((one, ask("yes_no", "b"))) == []


def test_groups_are_judged_row_by_row() -> None:
    rows = ask(
        "group",
        "kids",
        checks=Checks(longest=2),
        columns=(
            Field("name", "姓名", "name", Checks(required=True)),
            Field("age", "年龄", "integer", Checks(most="18")),
        ),
    )
    assert judge(form(rows), {"kids": [{"name": "王小明", "age": "3"}, {"name": "", "age": ""}]}).answers == {
        "kids": [{"name": "王小明", "age": 3}]
    }
    found = judge(form(rows), {"kids": [{"name": "王小明", "age": 30}, {"age": 3, "x": 1}]})
    assert [(fault.field, fault.code) for fault in found.faults] == [("kids.1.x", "unknown_field")]
    assert [fault.field for fault in judge(form(rows), {"kids": [{"name": "王小明", "age": 30}]}).faults] == [
        "kids.0.age"
    ]
    assert [fault.field for fault in judge(form(rows), {"kids": [{"age": 3}]}).faults] == ["kids.0.name"]
    assert [fault.code for fault in judge(form(rows), {"kids": [{"name": "王小明"}] * 3}).faults] == ["too_long"]
    assert [fault.code for fault in judge(form(rows), {"kids": [{}] * 21}).faults] == ["too_long"]
    assert [fault.code for fault in judge(form(rows), {"kids": "x"}).faults] == ["not_rows"]


def test_checks_between_answers_wait_for_both_and_name_the_field() -> None:
    crossed = form(
        ask("day", "born"), ask("identity", "no"), checks=(CrossCheck("born == no.birthday", "不一致。", "born"),)
    )
    assert judge(crossed, {"born": "2018-09-16"}).good
    found = judge(crossed, {"born": "2018-09-16", "no": "310101201809150018"})
    assert [(fault.field, fault.code) for fault in found.faults] == [("born", "cross_check")]
    assert judge(crossed, {"born": "2018-09-15", "no": "310101201809150018"}).good


def test_patterns_of_staff_run_in_linear_time_or_not_at_all() -> None:
    for wild in ("(?=a)b", r"(a)\1", "a{1000000}", "(", "(((a{100}){100}){100})", "x" * 201):
        with pytest.raises(BadInput):
            check_pattern(wild)
    check_pattern("(a+)+")
    assert not matches("(a+)+", "a" * 200 + "!")
    assert not matches("(a|a)*b", "a" * 200)
    assert matches("[一-龥]{2,4}", "王小明")
    assert not matches("ab|cd", "abx")
    # back-tracking would not end in this life: the time limit of the test is the check


def test_masks_and_words() -> None:
    one = form(ask("choices", "c", dictionary="colour"))
    assert said(one.questions()[0].field, ["red", "grey"], one, Town()) == "红、灰"
    secret = Field("no", "证号", "identity", sensitive=True)
    assert masked(secret, "310101201809150018") == "31**************18"
    assert masked(Field("note", "病史", "long_text", sensitive=True), "花生") == "****"
    group = Field("g", "表", "group", columns=(secret, Field("x", "X", "integer")))
    assert masked(group, [{"no": "310101201809150018", "x": 3}]) == [{"no": "31**************18", "x": 3}]


@pytest.mark.parametrize("entry", [entry.key for entry in SPEC.entries])
def test_declared_forms_compose_and_survive_their_snapshot(entry: str) -> None:
    made = compose(composition_of(SPEC, entry), LIBRARY, key=SPEC.key, title=SPEC.title, entry=entry)
    assert made.problems == ()
    assert form_from(json.loads(json.dumps(snapshot_of(made.form)))) == made.form


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "t": st.text(max_size=12) | st.integers(), "i": st.integers(-3, 9) | st.text(max_size=3), "d": st.decimals(-9, 99, places=2).map(str) | st.integers(),
        "y": st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)).map(str) | st.text(max_size=10), "c": st.sampled_from(["red", "blue", "grey", "x", ""]),
        "cs": st.lists(st.sampled_from(["red", "blue", "grey"]), max_size=3), "b": st.booleans() | st.sampled_from(["1", "0", "?"]),
        "p": st.sampled_from(["13800000000", "138", 13800000000]), "n": st.sampled_from(["王小明", "1", "Li"]),
        "m": st.sampled_from(["2026-09", "2026-13", "x"]), "g": st.lists(st.fixed_dictionaries({"k": st.integers(0, 5) | st.text(max_size=2)}), max_size=3),
        "stray": st.just(1),
    },
)  # fmt: skip
WHOLE = form(
    ask("text", "t", checks=Checks(longest=8)), ask("integer", "i", checks=Checks(least="0", most="5")), ask("decimal", "d"), ask("day", "y"),
    ask("choice", "c", checks=Checks(required=True), dictionary="colour"), ask("choices", "cs", checks=Checks(longest=2), dictionary="colour"),
    ask("yes_no", "b"), ask("phone", "p"), ask("name", "n"), ask("month", "m"),
    ask("group", "g", checks=Checks(longest=2), columns=(Field("k", "K", "integer", Checks(most="4")),)),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS)
def test_the_json_schema_agrees_with_validate(raw: dict[str, Any]) -> None:
    """Whatever is good is kept in a form the schema takes; whatever validate changes nothing of and the schema refuses is refused."""
    shape = jsonschema_rs.validator_for(schema_of(WHOLE), pattern_options=jsonschema_rs.RegexOptions())
    found = judge(WHOLE, raw)
    if found.good:
        assert shape.is_valid(found.answers), list(shape.iter_errors(found.answers))
        assert judge(WHOLE, found.answers) == found
    elif found.answers == raw:  # read as given, so what is wrong is a bound, a term or a missing answer
        assert not shape.is_valid(raw), found.faults
