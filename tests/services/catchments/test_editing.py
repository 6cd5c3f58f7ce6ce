"""Drafts on a real database: acts kept and taken back, conflicts, checks, two people, publication; on the tiny city."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.imports.models import Source
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.catchments import checking
from services.catchments.actions import (
    approve_draft,
    check_draft,
    discard_draft,
    open_draft,
    publish_edition,
    withdraw_edition,
)
from services.catchments.changes import undo
from services.catchments.checking import findings_of
from services.catchments.editing import RuleSaid, delete_rules, save_rule, set_about, set_steps
from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition, EditionChange, EditionState, MatchRule
from services.catchments.queries import edition_in_force, edition_seen, editions_seen, sources_for, undoable
from services.facilities.actions import edition_key
from services.facilities.models import Facility

YEAR = timezone.localdate().year - 6  # the invented city has editions of late years
ALL = ("catchments.view", "catchments.edit", "catchments.approve")


def district() -> RegionVersion:
    """Return the first district of the tiny city that has two kindergartens and two committees."""
    for version in RegionVersion.objects.filter(level="district", edition__state="published").order_by("code"):
        ground = ground_of(version.region_id)
        if len(ground.open_sites()) > 1 and len(ground.committees) > 1:
            return version
    raise AssertionError("the tiny city has no district with two kindergartens")


def who(actor: str = "lin", *duties: str, path: str | None = None) -> Scope:
    return Scope(paths=(path or district().path,), duties=frozenset(duties or ALL), actor=actor)


def draft(entry: str = "local", **given: Any) -> CatchmentEdition:
    return open_draft(year=YEAR, district=district().code, entry=entry, scope=who(), **given)


def now(edition: CatchmentEdition) -> CatchmentEdition:
    return CatchmentEdition.objects.get(pk=edition.pk)


def seen_of(edition: CatchmentEdition) -> int:
    return CatchmentEdition.objects.get(pk=edition.pk).revision


def add(edition: CatchmentEdition, said: RuleSaid, actor: str = "lin", **given: Any) -> MatchRule:
    change = save_rule(
        edition_id=edition.pk, same=None, said=said, scope=who(actor),
        **{"seen": seen_of(edition), "key": uuid.uuid4()} | given,
    )  # fmt: skip
    assert change is not None
    (key,) = change.after
    return MatchRule.objects.get(edition=edition, same=key.removeprefix("rule:"))


def ground() -> Ground:
    return ground_of(district().region_id)


def committee_rule(at: int = 0, site: int = 0) -> RuleSaid:
    here = ground()
    committee, (_, street) = sorted(here.committees.items())[at]
    return RuleSaid("committee", street, committee, target=here.open_sites()[site].id)


def approved(edition: CatchmentEdition) -> CatchmentEdition:
    set_about(
        edition_id=edition.pk, policy="招生通告", policy_url="", office="学前科", office_phone="12345",
        seen=seen_of(edition), key=uuid.uuid4(), scope=who(),
    )  # fmt: skip
    check_draft(edition_id=edition.pk, scope=who())
    return approve_draft(edition_id=edition.pk, seen=seen_of(edition), accept=True, scope=who("wang"))


def test_an_edition_goes_from_nothing_to_publication_by_two_people(city: None) -> None:
    edition = draft()
    assert edition.steps == ["override", "address", "community", "committee", "area", "open"]
    assert draft().pk == edition.pk  # a second one is the same draft
    _, found = check_draft(edition_id=edition.pk, scope=who())
    assert "empty" in {one.code for one in found if one.level == "error"}
    add(edition, committee_rule())
    with pytest.raises(Conflict) as unchecked:
        approve_draft(edition_id=edition.pk, seen=seen_of(edition), accept=True, scope=who("wang"))
    assert unchecked.value.code == "edition_unchecked"
    checked, _ = check_draft(edition_id=edition.pk, scope=who())
    assert checked.state == EditionState.CHECKED
    with pytest.raises(Conflict) as alone:
        approve_draft(edition_id=edition.pk, seen=seen_of(edition), accept=True, scope=who())
    assert alone.value.code == "same_person"
    with pytest.raises(BadInput) as unread:
        approve_draft(edition_id=edition.pk, seen=seen_of(edition), accept=False, scope=who("wang"))
    assert unread.value.code == "edition_doubtful"
    with pytest.raises(Conflict):
        publish_edition(edition_id=edition.pk, seen=seen_of(edition), from_day=timezone.localdate(), scope=who())
    approved(edition)
    with pytest.raises(BadInput):
        publish_edition(
            edition_id=edition.pk, seen=seen_of(edition), from_day=timezone.localdate() - dt.timedelta(1), scope=who()
        )
    publish_edition(edition_id=edition.pk, seen=seen_of(edition), from_day=timezone.localdate(), scope=who())
    asked = {"year": YEAR, "district_id": edition.district_id, "entry": "local"}
    assert edition_in_force(**asked) == edition
    assert edition_in_force(**asked, on=timezone.localdate() - dt.timedelta(1)) is None
    with pytest.raises(Conflict) as fixed:
        add(edition, committee_rule(1))
    assert fixed.value.code == "edition_published"
    with pytest.raises(Conflict) as begun:
        withdraw_edition(edition_id=edition.pk, scope=who())
    assert begun.value.code == "edition_begun"

    # the next year begins with this one, and rules are the same rules
    assert sources_for(year=YEAR + 1, district_id=edition.district_id, entry="local") == [edition]
    following = open_draft(year=YEAR + 1, district=district().code, entry="local", source=edition.pk, scope=who())
    assert following.office == "学前科"
    assert [rule.same for rule in following.rules.all()] == [rule.same for rule in edition.rules.all()]


def test_a_scheduled_edition_is_taken_back_and_the_old_one_answers_until_then(city: None) -> None:
    first = draft()
    add(first, committee_rule())
    approved(first)
    publish_edition(edition_id=first.pk, seen=seen_of(first), from_day=timezone.localdate(), scope=who())
    second = draft(source=first.pk)
    add(second, committee_rule(1, 1))
    approved(second)
    later = timezone.localdate() + dt.timedelta(days=9)
    publish_edition(edition_id=second.pk, seen=seen_of(second), from_day=later, scope=who())
    asked = {"year": YEAR, "district_id": first.district_id, "entry": "local"}
    assert edition_in_force(**asked) == first
    assert edition_in_force(**asked, on=later) == second
    following = open_draft(year=YEAR + 1, district=district().code, entry="local", source=second.pk, scope=who())
    with pytest.raises(BadInput):  # a draft is no ground to begin on
        open_draft(year=YEAR + 2, district=district().code, entry="local", source=following.pk, scope=who())
    withdraw_edition(edition_id=second.pk, scope=who())
    assert edition_in_force(**asked, on=later) == first
    assert CatchmentEdition.objects.get(pk=second.pk).state == EditionState.APPROVED
    discard_draft(edition_id=second.pk, seen=seen_of(second), scope=who())
    assert not CatchmentEdition.objects.filter(pk=second.pk).exists()
    assert CatchmentEdition.objects.get(pk=following.pk).begun_from == first


def test_two_people_on_one_draft_meet_only_over_the_same_rule(city: None) -> None:
    edition = draft()
    mine, theirs = add(edition, committee_rule()), add(edition, committee_rule(1))
    seen = seen_of(edition)
    other = committee_rule(0, 1)
    save_rule(edition_id=edition.pk, same=mine.same, said=other, seen=seen, key=uuid.uuid4(), scope=who("wang"))
    # another rule: no conflict, though the draft moved on
    changed = RuleSaid("committee", theirs.street_id, theirs.committee_id, target=other.target)
    save_rule(edition_id=edition.pk, same=theirs.same, said=changed, seen=seen, key=uuid.uuid4(), scope=who())
    with pytest.raises(Conflict) as met:
        save_rule(
            edition_id=edition.pk, same=mine.same, said=committee_rule(), seen=seen, key=uuid.uuid4(), scope=who()
        )
    assert "wang 刚才修改规则" in met.value.message
    with pytest.raises(Conflict):
        delete_rules(edition_id=edition.pk, sames=[mine.same], seen=seen, key=uuid.uuid4(), scope=who())
    assert MatchRule.objects.get(pk=mine.pk).target_id == other.target


def test_a_form_sent_twice_is_done_once(city: None) -> None:
    edition, key = draft(), uuid.uuid4()
    add(edition, committee_rule(), seen=1, key=key)
    add(edition, committee_rule(), seen=1, key=key)
    assert edition.rules.count() == 1
    assert edition.changes.exclude(act="begin").count() == 1


def test_acts_are_undone_where_they_still_fit_and_done_again(city: None) -> None:
    edition = draft()
    rule = add(edition, committee_rule())
    delete_rules(edition_id=edition.pk, sames=[rule.same], seen=seen_of(edition), key=uuid.uuid4(), scope=who())
    last = undoable(edition)
    assert last is not None
    back = undo(change_id=last.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert back is not None
    restored = edition.rules.get()
    assert (restored.same, restored.target_id, restored.committee_id) == (rule.same, rule.target_id, rule.committee_id)
    with pytest.raises(Conflict) as twice:
        undo(change_id=last.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert twice.value.code == "change_undone"
    undo(change_id=back.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert edition.rules.count() == 0
    # what was changed since stands in the way
    added = EditionChange.objects.get(edition=edition, act="add")
    with pytest.raises(Conflict) as moved:
        undo(change_id=added.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert moved.value.code == "change_moved"


def test_faults_of_a_rule_name_their_field(city: None) -> None:
    edition, here = draft(), ground()
    site = here.open_sites()[0].id
    (one, (_, street)), *others = sorted(here.committees.items())
    elsewhere = next((each for each, (_, other) in others if other != street), None)

    def refused(said: RuleSaid) -> dict[str, str]:
        with pytest.raises(BadInput) as fault:
            save_rule(edition_id=edition.pk, same=None, said=said, seen=seen_of(edition), key=uuid.uuid4(), scope=who())
        return dict(fault.value.detail["fields"])

    assert "前大后小" in refused(RuleSaid("address", written="武夷路99-1号", target=site))["written"]
    assert "21 个字" in refused(RuleSaid("community", street, one, "长" * 21, target=site))["community"]
    assert set(refused(RuleSaid("committee", target=None))) == {"street", "target"}
    assert "公办园" in refused(RuleSaid("committee", street, one, choice="public"))["target"]
    if elsewhere:
        assert "不在所选的街镇" in refused(RuleSaid("committee", street, elsewhere, target=site))["committee"]
    abroad = Facility.objects.filter(kind="kindergarten").exclude(pk__in=here.sites).first()
    assert abroad is not None
    assert "不在本区" in refused(RuleSaid("committee", street, one, target=abroad.pk))["target"]
    assert edition.rules.count() == 0
    away = draft("elsewhere")
    with pytest.raises(BadInput) as forbidden:
        add(away, committee_rule())
    assert "开放列表" in forbidden.value.detail["fields"]["mode"]
    with pytest.raises(BadInput):
        set_steps(edition_id=away.pk, steps=["committee"], seen=seen_of(away), key=uuid.uuid4(), scope=who())


def test_checks_name_overlaps_dead_rules_doubles_gaps_and_closed_kindergartens(city: None) -> None:
    edition, here = draft(), ground()
    first, second = here.open_sites()[:2]
    a = add(edition, RuleSaid("address", written="武夷路1-199号（单号）", target=first.id))
    b = add(edition, RuleSaid("address", written="武夷路150-180号、武夷路99号", target=second.id))
    c = add(edition, RuleSaid("address", written="镇宁路5-9号，除6号、20号外", target=second.id))
    said = committee_rule()
    d = add(edition, said)
    add(edition, RuleSaid("community", said.street, said.committee, "梧桐苑", target=first.id))
    late = add(edition, RuleSaid("open", said.street, said.committee, target=first.id))
    found = findings_of(now(edition))
    by_code = {one.code: one for one in found}
    assert by_code["overlap"].rules == (a.same, b.same)
    assert "武夷路99号" in by_code["overlap"].message
    assert by_code["idle_exception"].rules == (c.same,)
    assert by_code["dead"].rules == (late.same,)
    assert "gap" in by_code
    assert {one.level for one in found} == {"warning"}
    add(edition, RuleSaid("committee", said.street, said.committee, target=second.id))
    assert d.same in next(one for one in findings_of(now(edition)) if one.code == "contradiction").rules
    Facility.objects.filter(pk=second.id).update(status="closed")
    cache.set(edition_key(), "a place was closed")
    errors = [one for one in findings_of(now(edition)) if one.level == "error"]
    assert {one.code for one in errors} == {"bad_target"}
    assert "已关闭" in errors[0].message


def test_what_is_wrong_is_found_once_until_the_edition_or_the_city_changes(
    city: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition, here = draft(), ground()
    made: list[str] = []
    real = checking._find
    monkeypatch.setattr(checking, "_find", lambda one: made.append(str(one.revision)) or real(one))
    add(edition, RuleSaid("address", written="武夷路1-199号（单号）", target=here.open_sites()[0].id))
    first = findings_of(now(edition))
    assert findings_of(now(edition)) == first
    first.clear()  # what somebody does with the answer is theirs
    assert findings_of(now(edition))
    assert made == ["2"]
    add(edition, RuleSaid("address", written="武夷路99号", target=here.open_sites()[1].id))
    assert "overlap" in {one.code for one in findings_of(now(edition))}
    assert made == ["2", "3"]
    cache.set(edition_key(), "a place was renamed")
    findings_of(now(edition))
    assert made == ["2", "3", "3"]
    Source.objects.filter(family="addresses", retired_at=None).update(revision=F("revision") + 1)
    findings_of(now(edition))
    assert made == ["2", "3", "3", "3"]
    findings_of(now(edition))
    assert made == ["2", "3", "3", "3"]


def test_who_looks_after_another_district_sees_and_changes_nothing(city: None) -> None:
    edition = draft()
    other = RegionVersion.objects.filter(level="district", edition__state="published").exclude(
        region=edition.district_id
    )
    stranger = who("zhao", path=other[0].path)
    assert list(editions_seen(scope=stranger)) == []
    with pytest.raises(NotFound):
        edition_seen(edition.pk, scope=stranger)
    with pytest.raises(NotFound):
        set_steps(edition_id=edition.pk, steps=[], seen=1, key=uuid.uuid4(), scope=stranger)
    with pytest.raises(Forbidden):
        open_draft(year=YEAR, district=district().code, entry="local", scope=stranger)
    with pytest.raises(BadInput):
        open_draft(year=YEAR, district="", entry="local", scope=who())
    viewer = who("qian", "catchments.view")
    assert edition_seen(edition.pk, scope=viewer) == edition
    with pytest.raises(Forbidden):
        discard_draft(edition_id=edition.pk, seen=1, scope=viewer)
