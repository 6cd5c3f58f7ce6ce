"""A register from what families handed in: who may take it, what is taken, each child once; on the tiny city."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.regions.models import Region
from geo.scope import Scope
from services.access.actions import declare_roles, grant_role
from services.access.models import AuditEntry, User
from services.access.queries import scope_of_account
from services.catchments.models import CatchmentEdition
from services.catchments.validating.actions import begin_from_forms, go_on, start_validation
from services.catchments.validating.models import Register, RegisterRow, Validation
from services.crypto.house import house_keys
from services.crypto.keystore import make_keystore
from services.crypto.port import Purpose
from services.kernel.forms import taking
from services.kernel.forms.actions import reopen_for_supplement, save_draft
from services.kernel.forms.library.actions import seed_library
from services.kernel.forms.models import LibraryField, Submission
from services.kernel.workflow.models import Case, FlowVersion
from tests.services.catchments.districts import HUANGPU, edition, region
from tests.services.catchments.registrations import (
    PHONE,
    address_of,
    answers,
    begun,
    coming_year,
    handed_in,
    identity,
    where,
)
from tests.services.catchments.test_answering import bare, doors_of_huangpu

__all__ = ["bare"]


@pytest.fixture
def stores(tmp_path: Path, settings: Any) -> None:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SCANNER = ""


@pytest.fixture
def keeper(bare: None, stores: None) -> Scope:
    """Return the scope of a district manager, who may take registers from forms."""
    declare_roles()
    user = User.objects.create_user("quguan")
    grant_role(user=user, role="district_manager", granted_by="shi", region=Region.objects.get(pk=region(HUANGPU).id))
    return scope_of_account("quguan")


@pytest.fixture
def parent(stores: None) -> User:
    return User.objects.create_user("parent", display_name="王建国")


@pytest.fixture
def draft(bare: None) -> CatchmentEdition:
    return edition(published=False, year=coming_year(), steps=["address", "committee"])


def taken(draft: CatchmentEdition, keeper: Scope) -> Register:
    """Take the register and run it through."""
    begun = begin_from_forms(edition_id=draft.pk, key=uuid.uuid4(), scope=keeper)
    assert begun.job is not None
    done = run_job(job_id=begun.job)
    assert done.state == JobState.DONE, done.error
    begun.refresh_from_db()
    assert begun.done_at is not None
    return Register.objects.get(pk=begun.register_id)


def owns(register: Register) -> list[str]:
    return list(register.rows.order_by("number").values_list("own", flat=True))


def test_of_each_child_the_last_registration_is_taken_and_nothing_that_names_it(
    draft: Any, keeper: Any, parent: User, tmp_path: Path
) -> None:
    doors = doors_of_huangpu()
    early = handed_in(parent, tmp_path, 1, where(doors[0]))
    second = handed_in(parent, tmp_path, 2, where(doors[1]) | {"home_community": f"某小区 {PHONE}"})
    late = handed_in(parent, tmp_path, 1, where(doors[2]))  # the same child again
    left = begun(parent)
    who = Scope(duties=frozenset({"self.view"}), actor="parent")
    save_draft(submission_id=left.pk, answers=answers(3, where(doors[3])), seen=left.version, scope=who)
    handed_in(parent, tmp_path, 4, where(doors[4]), region="310110")
    apart = where(doors[5]) | {"same_address": False, "home_address": doors[6].text}
    moved = handed_in(parent, tmp_path, 5, apart)
    gone = handed_in(parent, tmp_path, 6, where(doors[7]))
    withdrawn(gone)
    last_year = handed_in(parent, tmp_path, 7, where(doors[8]))
    Submission.objects.filter(pk=last_year.pk).update(submitted_at=last_year.submitted_at.replace(year=2020))
    assert early.number != late.number

    register = taken(draft, keeper)
    assert owns(register) == [second.number, late.number]
    assert (register.row_count, register.origin, register.made_by) == (2, "forms", "quguan")
    assert register.until is not None
    assert register.name.startswith("幼儿信息登记（截至 ")
    first, last = register.rows.order_by("number")
    said = where(doors[2])
    assert (last.number, address_of(last), last.committee) == (2, said["hukou_address"], said["home_committee"])
    assert last.street == region(said["home_street"]).name
    assert first.community == "某小区 "  # a number of a telephone is no name of a community
    kept = " ".join(str(cell) for row in RegisterRow.objects.values_list() for cell in row)
    assert not any(word in kept for word in ("幼儿乙", "王建国", identity(1), PHONE))
    audit = AuditEntry.objects.filter(act="answer_revealed").order_by("-pk")[0]
    assert (audit.actor, audit.detail["submissions"], audit.detail["register"]) == ("quguan", 2, str(register.pk))
    assert "child_identity" not in audit.detail["fields"]

    other = edition(published=False, year=coming_year(), entry="apart", steps=["address"])
    of_apart = taken(other, keeper)
    assert [(row.own, address_of(row)) for row in of_apart.rows.all()] == [(moved.number, doors[6].text)]

    # the child moved since: it is registered as apart now, and no longer stands in the first register
    again = handed_in(parent, tmp_path, 2, apart)
    assert owns(taken(draft, keeper)) == [late.number]
    assert owns(taken(other, keeper)) == [moved.number, again.number]
    assert owns(register) == [second.number, late.number]  # taken again is another one


def withdrawn(row: Submission) -> None:
    """Let a registration have a case that was withdrawn."""
    flow = FlowVersion.objects.order_by("pk").first() or FlowVersion.objects.create(
        matter="enrolment", number=1, region=row.region, xml="<x/>", made_by="shi"
    )
    Case.objects.create(
        number=f"T{row.number}", matter="enrolment", duty="cases.view", category="入园", source="online", title="登记",
        flow=flow, region=row.region, submission=row.pk, state="withdrawn", opened_by="parent",
    )  # fmt: skip


def test_what_counts_is_what_was_handed_in_while_something_is_supplemented(
    draft: Any, keeper: Any, parent: User, tmp_path: Path
) -> None:
    doors = doors_of_huangpu()
    row = handed_in(parent, tmp_path, 1, where(doors[0]))
    row = reopen_for_supplement(
        submission_id=row.pk, fields=["hukou_address"], certificates=[], why="写到室", scope=keeper
    )
    who = Scope(duties=frozenset({"self.view"}), actor="parent")
    save_draft(submission_id=row.pk, answers={"hukou_address": "还没写完"}, seen=row.version, scope=who)
    assert [address_of(one) for one in taken(draft, keeper).rows.all()] == [doors[0].text]
    again = handed_in(parent, tmp_path, 1, where(doors[1]))
    assert owns(taken(draft, keeper)) == [again.number]


def test_addresses_that_a_city_seals_are_opened_and_children_known_across_keys(
    draft: Any, keeper: Any, parent: User, tmp_path: Path
) -> None:
    seed_library()
    LibraryField.objects.filter(key="hukou_address").update(sensitive=True)
    doors = doors_of_huangpu()
    first = handed_in(parent, tmp_path, 1, where(doors[0]))
    assert "hukou_address" not in Submission.objects.get(pk=first.pk).answers
    for purpose in (Purpose.SEAL, Purpose.BLIND):
        house_keys().add_key(purpose)  # nothing is sealed anew yet
    later = handed_in(parent, tmp_path, 1, where(doors[1]))
    assert [(one.own, address_of(one)) for one in taken(draft, keeper).rows.all()] == [(later.number, doors[1].text)]


def test_only_who_may_read_the_forms_takes_them_once_a_click(
    draft: Any, keeper: Any, parent: User, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="还没有家长提交"):
        begin_from_forms(edition_id=draft.pk, key=uuid.uuid4(), scope=keeper)
    assert Register.objects.count() == 0
    handed_in(parent, tmp_path, 1, where(doors_of_huangpu()[0]))
    planner = Scope(paths=keeper.paths, duties=frozenset({"catchments.view", "catchments.edit"}), actor="guihua")
    for duty in ("forms.view", "forms.reveal", "catchments.edit"):
        short = Scope(paths=keeper.paths, duties=keeper.duties - {duty}, actor="short")
        for who in (planner, short):
            with pytest.raises(Forbidden):
                begin_from_forms(edition_id=draft.pk, key=uuid.uuid4(), scope=who)
    elsewhere = Scope(paths=("310000.310110.",), duties=keeper.duties, actor="yangpu")
    with pytest.raises(NotFound):
        begin_from_forms(edition_id=draft.pk, key=uuid.uuid4(), scope=elsewhere)
    key = uuid.uuid4()
    run = begin_from_forms(edition_id=draft.pk, key=key, scope=keeper)
    assert begin_from_forms(edition_id=draft.pk, key=key, scope=keeper) == run
    assert (Register.objects.count(), Validation.objects.count()) == (1, 1)
    CatchmentEdition.objects.filter(pk=draft.pk).update(revision=2)
    with pytest.raises(Conflict):  # of the rules as they are now, while the first run takes the rows
        start_validation(edition_id=draft.pk, register_id=run.register_id, key=uuid.uuid4(), scope=keeper)


def test_a_stopped_taking_begins_anew_and_a_right_taken_away_since_counts(
    draft: Any, keeper: Any, parent: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [handed_in(parent, tmp_path, at, where(doors_of_huangpu()[at])) for at in range(1, 4)]
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    run = begin_from_forms(edition_id=draft.pk, key=uuid.uuid4(), scope=keeper)
    real = Progress.step

    def asked_to_stop(self: Progress, share: float, message: str = "") -> None:
        if "2 份" in message:
            Job.objects.filter(pk=self.job.pk).update(cancel_requested=True)
        self._reported = 0.0
        real(self, share, message)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "step", asked_to_stop)
        assert run.job is not None
        assert run_job(job_id=run.job).state == JobState.CANCELLED
    assert RegisterRow.objects.count() == 1
    register = Register.objects.get()
    assert register.pending

    User.objects.filter(username="quguan").update(is_active=False)
    again = go_on(validation_id=run.pk, scope=keeper)
    assert again.job is not None
    failed = run_job(job_id=again.job)
    assert (failed.state, failed.error["code"]) == (JobState.FAILED, "account_gone")
    User.objects.filter(username="quguan").update(is_active=True)
    again = go_on(validation_id=run.pk, scope=keeper)
    assert again.job is not None
    assert run_job(job_id=again.job).state == JobState.DONE
    assert owns(register) == [row.number for row in rows]
    again.refresh_from_db()
    assert again.verdicts.count() == 3
