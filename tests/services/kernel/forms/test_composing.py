"""The library and the forms of districts: what the city fixes, what districts may change, versions, two people at one draft."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.kernel.forms.composing import arranging, compose, composition_of
from services.kernel.forms.composing.comparing import compare
from services.kernel.forms.library.actions import add_dictionary, save_certificate, save_field, save_terms, seed_library
from services.kernel.forms.library.coding import next_code
from services.kernel.forms.library.queries import (
    certificate_row,
    certificate_value,
    certificates_found,
    dictionaries_now,
    field_rows,
    field_value,
    library_now,
)
from services.kernel.forms.models import Certificate, DictionaryTerm, FormVersion, LibraryField
from services.kernel.forms.spec import Checks, Field
from services.kernel.forms.versions.actions import (
    begin_again,
    begin_draft,
    discard_draft,
    ensure_city_version,
    publish_version,
    save_draft,
    withdraw_version,
)
from services.kernel.forms.versions.queries import composed_of, region_to_compose, standing_form, version_kept
from services.modules.enrolment.forms import FORMS

from .conftest import CITY, CLERK, HUANGPU, OTHER, library

SPEC = FORMS[0]


def composed(data: dict[str, Any], city: Any = None) -> list[str]:
    made = compose(data, library(), key="enrolment", title="表", entry="local", city=city)
    return [problem.sentence for problem in made.problems]


def local() -> dict[str, Any]:
    return composition_of(SPEC, "local")


CITY_FORM = compose(local(), library(), key="enrolment", title="表", entry="local").form


@pytest.mark.parametrize(
    ("key", "changes", "said"),
    [
        ("child_name", {"label": "宝宝大名"}, "由全市统一"), ("child_name", {"always": False}, "由全市统一"),
        ("birthday", {"checks": {"earliest": "2010-01-01"}}, "只能比全市更严"), ("birthday", {"checks": {"latest": "2030-01-01"}}, "只能比全市更严"),
        ("birthday", {"checks": {"earliest": "nonsense"}}, "日期界限"), ("note", {"checks": {"longest": 900}}, "只能比全市更严"),
        ("note", {"checks": {"longest": "x"}}, "要填数字"), ("note", {"checks": {"pattern": "(?=a)"}}, "不支持的写法"),
        ("home_area", {"checks": {"least": "3000"}}, "下限比上限大"), ("housing", {"checks": {"pattern": "a"}}, "不是文字"),
        ("XQ-HJ-001", {"most": 7}, "1 到 6"), ("XQ-HJ-001", {"least": 6, "most": 3}, "不能多于"), ("XQ-HJ-001", {"most_bytes": 90_000_000}, "MB 之间"),
        ("housing", {"codes": ["castle"]}, "都已停用"), ("housing", {"shown": {"field": "housing", "operator": "is", "value": "owned"}}, "不能看它自己"),
        ("housing", {"shown": {"field": "nowhere", "operator": "is", "value": "x"}}, "没有“nowhere”"),
        ("housing", {"offers": [{"when": {"field": "same_address", "operator": "is", "value": True}, "codes": []}]}, "没有勾选"),
        ("same_address", {"shown": {"field": "home_address", "operator": "filled", "value": None}}, "绕成了圈"),
        ("birthday", {"shown": {"field": "document_type", "operator": "is", "value": "id"}}, "显示条件要与全市一致"), ("birthday", {"always": False}, "全市必填"),
    ],
)  # fmt: skip
def test_what_a_district_may_not_do_is_told(key: str, changes: dict[str, Any], said: str) -> None:
    problems = composed(arranging.change_item(local(), key, changes), CITY_FORM)
    assert any(said in each for each in problems), problems


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("birthday", {"checks": {"earliest": "2022-09-01"}}), ("note", {"label": "给老师的话", "help": "想说什么都行", "always": True, "checks": {"longest": 100}}),
        ("XQ-HJ-001", {"most": 3, "least": 3, "types": ["pdf"], "most_bytes": 5_000_000, "help": "只要户主页"}), ("housing", {"codes": ["owned", "rented"]}),
        ("allergy", {"shown": {"any": [{"field": "nationality", "operator": "is", "value": "156"}]}}),
    ],
)  # fmt: skip
def test_what_a_district_may_do(key: str, changes: dict[str, Any]) -> None:
    assert composed(arranging.change_item(local(), key, changes), CITY_FORM) == []


def test_forms_beyond_all_bounds_are_refused_quickly() -> None:
    wild = {"sections": [{"title": "x", "items": [{"key": f"f{number}"} for number in range(10_000)]}]}
    assert composed(wild)[0] == "一张表最多 200 项，请删减。"
    assert composed({"sections": [{"title": "x", "items": []}] * 31})[0].startswith("最多分 30 节")
    assert "还没有任何一项" in composed({"sections": []})[0]
    twice = {"sections": [{"title": "x", "items": [{"key": "note"}, {"key": "note"}]}]}
    assert composed(twice) == ["“补充说明”用了两次，请去掉一个。"]
    assert "不在字段库" in composed({"sections": [{"title": "x", "items": [{"key": "gone"}]}]})[0]
    check = {
        "sections": [{"title": "x", "items": [{"key": "note"}]}],
        "checks": [{"expression": "note ==", "sentence": "x"}],
    }
    assert "校验" in composed(check)[0]


def test_arranging_keeps_every_item_wherever_it_is_moved() -> None:
    data = local()
    keys = [item["key"] for part in data["sections"] for item in part["items"]]
    moved = data
    for key in keys:
        moved = arranging.move_item(arranging.move_item(moved, key, 1), key, 1)
        moved = arranging.place_item(moved, key, 0, 999)
    assert sorted(item["key"] for part in moved["sections"] for item in part["items"]) == sorted(keys)
    first = data["sections"][0]["items"][0]["key"]
    assert arranging.move_item(data, first, -1) == data
    down = arranging.move_item(data, data["sections"][0]["items"][-1]["key"], 1)
    assert down["sections"][1]["items"][0]["key"] == data["sections"][0]["items"][-1]["key"]
    with pytest.raises(BadInput):
        arranging.remove_section(data, 0)
    with pytest.raises(BadInput):
        arranging.change_item(data, first, {"__class__": 1})


def test_codes_follow_their_rule() -> None:
    assert next_code("XQ", "HJ", ["XQ-HJ-001", "XQ-HJ-007", "YL-HJ-050", "XQ-HJ-x"]) == "XQ-HJ-008"
    with pytest.raises(BadInput):
        next_code("x1", "HJ", [])


@pytest.mark.usefixtures("city")
class TestLibrary:
    def test_what_is_declared_is_there_once_and_what_staff_changed_stays(self) -> None:
        row = LibraryField.objects.get(key="note")
        save_field(field=replace(field_value(row), label="要说的话"), seen=row.version, active=False, scope=CITY)
        seed_library()
        row.refresh_from_db()
        assert (row.label, row.active) == ("要说的话", False)
        assert "note" not in library_now().fields
        assert len(library_now().fields["siblings"].columns) == 3
        assert library_now().fields["child_document"] == library().fields["child_document"]

    def test_only_the_city_keeps_it_and_two_at_once_are_told(self) -> None:
        row = LibraryField.objects.get(key="note")
        for stranger in (HUANGPU, CLERK):
            with pytest.raises(Forbidden):
                save_field(field=field_value(row), seen=row.version, scope=stranger)
        save_field(field=replace(field_value(row), help="一"), seen=row.version, scope=CITY)
        with pytest.raises(Conflict):
            save_field(field=replace(field_value(row), help="二"), seen=row.version, scope=CITY)
        event = LibraryField.pgh_event_model.objects.filter(pgh_obj_id=row.pk).latest("pgh_id")  # type: ignore[attr-defined]
        assert (event.help, event.pgh_context.metadata["actor"]) == ("", "shi")

    @pytest.mark.parametrize(
        "wrong",
        [
            Field("Bad Key", "x"), Field("ok", ""), Field("ok", "x", "choice"), Field("ok", "x", "choice", dictionary="nowhere"),
            Field("ok", "x", "text", dictionary="sex"), Field("ok", "x", "group"), Field("ok", "x", "yes_no", sensitive=True),
            Field("ok", "x", "text", Checks(pattern=r"(a)\1")), Field("ok", "x", "integer", Checks(least="9", most="1")), Field("ok", "x", "magic"),  # type: ignore[arg-type]
        ],
    )  # fmt: skip
    def test_fields_that_cannot_be_meant_are_refused(self, wrong: Field) -> None:
        with pytest.raises(BadInput):
            save_field(field=wrong, seen=0, scope=CITY)

    def test_terms_are_withdrawn_never_deleted(self) -> None:
        add_dictionary(key="shift", title="班次", scope=CITY)
        row = save_terms(dictionary="shift", lines=[("am", "上午", True), ("pm", "下午", True)], seen=1, scope=CITY)
        save_terms(dictionary="shift", lines=[("pm", "午后", True)], seen=row.version, scope=CITY)
        assert [(t.code, t.label, t.active) for t in dictionaries_now(["shift"])["shift"].terms] == [
            ("pm", "午后", True),
            ("am", "上午", False),
        ]
        assert DictionaryTerm.objects.filter(dictionary__key="shift").count() == 2
        with pytest.raises(BadInput):
            save_terms(dictionary="shift", lines=[("a", "x", True), ("a", "y", True)], seen=row.version + 1, scope=CITY)
        with pytest.raises(BadInput):
            save_terms(dictionary="shift", lines=[("=1+1", "x", True)], seen=row.version + 1, scope=CITY)

    def test_every_wording_of_a_certificate_is_kept(self) -> None:
        row = Certificate.objects.get(code="XQ-HJ-001")
        value = certificate_value(row)
        kept = save_certificate(certificate=replace(value, valid_months=6), seen=row.version, note="新规", scope=CITY)
        assert (kept.number, kept.fresh) == (2, True)
        again = save_certificate(certificate=replace(value, valid_months=6), seen=kept.row.version, scope=CITY)
        assert again.fresh is False
        versions = list(kept.row.versions.order_by("number"))
        assert [each.content.get("valid_months") for each in versions] == [None, 6]
        assert versions[1].note == "新规"
        new = save_certificate(
            certificate=replace(value, code="", name="集体户口证明"), seen=0, domain="XQ", scope=CITY
        )
        assert new.row.code == "XQ-HJ-002"
        for wrong in (
            replace(value, code="HJ1"),
            replace(value, category="FC"),
            replace(value, types=("exe",)),
            replace(value, matters=("x",)),
        ):
            with pytest.raises(BadInput):
                save_certificate(certificate=wrong, seen=kept.row.version, scope=CITY)

    def test_clerks_find_certificates_and_the_public_does_not(self) -> None:
        assert [row.code for row in certificates_found(scope=CLERK, text="户口")] == ["XQ-HJ-001", "XQ-QT-002"]
        assert [row.code for row in certificates_found(scope=CLERK, matter="transfer", category="QT")] == ["XQ-QT-001"]
        assert certificate_row("XQ-HJ-001", scope=CLERK).name == "户口簿"
        with pytest.raises(Forbidden):
            certificates_found(scope=Scope.public())
        with pytest.raises(Forbidden):
            field_rows(scope=Scope.public())


@pytest.mark.usefixtures("city")
class TestVersions:
    def draft(self, scope: Scope = HUANGPU, region: str = "310101") -> FormVersion:
        return begin_draft(form="enrolment", entry="local", region=region, scope=scope)

    def test_a_district_composes_publishes_and_its_neighbour_keeps_the_citys_form(self) -> None:
        draft = self.draft()
        assert draft == self.draft()
        data = arranging.change_item(draft.composition, "note", {"label": "给老师的话"})
        draft = save_draft(version_id=draft.pk, composition=data, seen=draft.version, scope=HUANGPU)
        ours, theirs = (region_to_compose(code, scope=CITY).region_id for code in ("310101", "310110"))
        assert (
            standing_form(form="enrolment", entry="local", region_id=ours).form.question("note").field.label
            == "补充说明"
        )  # type: ignore[union-attr]
        published = publish_version(version_id=draft.pk, seen=draft.version, scope=HUANGPU)
        assert (
            standing_form(form="enrolment", entry="local", region_id=ours).form.question("note").field.label
            == "给老师的话"
        )  # type: ignore[union-attr]
        assert (
            standing_form(form="enrolment", entry="local", region_id=theirs).form.question("note").field.label
            == "补充说明"
        )  # type: ignore[union-attr]
        assert standing_form(form="enrolment", entry="permit", region_id=ours).version is None
        with pytest.raises(Conflict):
            save_draft(version_id=published.pk, composition=data, seen=published.version, scope=HUANGPU)
        lines = compare(
            composed_of(ensure_city_version(form="enrolment", entry="local")).form, composed_of(published).form
        )
        changed = [line for line in lines if line.sort != "same"]
        assert [line.changes for line in changed] == [("名称：补充说明 → 给老师的话",)]
        withdraw_version(version_id=published.pk, scope=HUANGPU)
        assert (
            standing_form(form="enrolment", entry="local", region_id=ours).form.question("note").field.label
            == "补充说明"
        )  # type: ignore[union-attr]
        again = begin_again(version_id=published.pk, scope=HUANGPU)
        assert again.composition == published.composition
        with pytest.raises(Conflict):
            begin_again(version_id=published.pk, scope=HUANGPU)
        discard_draft(version_id=again.pk, seen=again.version, scope=HUANGPU)

    def test_two_people_editing_one_draft_are_told(self) -> None:
        draft = self.draft()
        colleague = replace(HUANGPU, actor="colleague")
        save_draft(version_id=draft.pk, composition=draft.composition, seen=draft.version, scope=colleague)
        for act in (save_draft, publish_version):
            more = {"composition": draft.composition} if act is save_draft else {}
            with pytest.raises(Conflict, match="colleague"):
                act(version_id=draft.pk, seen=draft.version, scope=HUANGPU, **more)  # type: ignore[operator]

    def test_a_version_from_a_day_counts_from_that_day(self) -> None:
        draft = self.draft()
        region = draft.region_id
        data = arranging.remove_item(draft.composition, "note")
        draft = save_draft(version_id=draft.pk, composition=data, seen=draft.version, scope=HUANGPU)
        today = timezone.localdate()
        with pytest.raises(BadInput):
            publish_version(
                version_id=draft.pk, seen=draft.version, from_day=today - dt.timedelta(days=1), scope=HUANGPU
            )
        publish_version(version_id=draft.pk, seen=draft.version, from_day=today + dt.timedelta(days=7), scope=HUANGPU)
        for days, asked in ((0, True), (6, True), (7, False)):
            form = standing_form(
                form="enrolment", entry="local", region_id=region, day=today + dt.timedelta(days=days)
            ).form
            assert (form.question("note") is not None) == asked

    def test_drafts_with_problems_are_kept_but_not_published(self) -> None:
        draft = self.draft()
        data = arranging.change_item(
            draft.composition, "same_address", {"shown": {"field": "home_address", "operator": "filled"}}
        )
        draft = save_draft(version_id=draft.pk, composition=data, seen=draft.version, scope=HUANGPU)
        with pytest.raises(BadInput, match="绕成了圈"):
            publish_version(version_id=draft.pk, seen=draft.version, scope=HUANGPU)
        with pytest.raises(BadInput, match="全市必采"):
            save_draft(
                version_id=draft.pk,
                composition=arranging.remove_item(data, "child_name"),
                seen=draft.version,
                scope=HUANGPU,
            )

    def test_another_districts_versions_do_not_exist(self) -> None:
        draft = self.draft()
        with pytest.raises(NotFound):
            version_kept(draft.pk, scope=OTHER)
        with pytest.raises(Forbidden):
            self.draft(OTHER)
        with pytest.raises(Forbidden):
            self.draft(HUANGPU, "310000")
        with pytest.raises(Forbidden):
            self.draft(CLERK)

    def test_the_citys_only_version_cannot_be_taken_back(self) -> None:
        version = ensure_city_version(form="enrolment", entry="local")
        with pytest.raises(Conflict):
            withdraw_version(version_id=version.pk, scope=CITY)
        assert ensure_city_version(form="enrolment", entry="local") == version
