"""Filling in: drafts that lose nothing, secrets that stand nowhere in plain, double clicks, other people's ids, versions that change."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.access.models import AuditEntry, User
from services.crypto.identifiers import new_id
from services.crypto.queries import owners_with
from services.facilities.models import Facility
from services.kernel.documents.actions import attach_file
from services.kernel.forms.actions import (
    begin_submission,
    discard_submission,
    move_to_current,
    reopen_for_supplement,
    reveal_answer,
    save_draft,
    submit,
)
from services.kernel.forms.composing import arranging
from services.kernel.forms.library.actions import save_terms
from services.kernel.forms.models import FormDictionary, FormVersion, Submission
from services.kernel.forms.prefill import prefilled
from services.kernel.forms.queries import (
    answers_of,
    facts_of,
    last_day,
    submission,
    submissions_handed_in,
    summary_of,
    whole_answers,
)
from services.kernel.forms.versions.actions import begin_draft, publish_version, withdraw_version
from services.kernel.forms.versions.actions import save_draft as arrange

from .conftest import CLERK, HUANGPU, OTHER

pytestmark = pytest.mark.usefixtures("city")
NUMBER, PHONE = "310101202209150013", "13812345678"


@pytest.fixture
def parent() -> User:
    return User.objects.create_user(username="parent", display_name="王建国")


def scope(user: User) -> Scope:
    return Scope(duties=frozenset({"self.view"}), actor=user.username)


def answers() -> dict[str, Any]:
    """Return a whole form of the entry 转园, which asks least."""
    from services.kernel.forms.answering.identity import check_sign

    garden = Facility.objects.filter(kind="kindergarten").order_by("pk").values_list("pk", flat=True).first()
    return {
        "child_name": "王小明", "document_type": "id", "child_identity": NUMBER[:17] + check_sign(NUMBER[:17]), "child_sex": "male",
        "birthday": "2022-09-15", "nationality": "156", "birth_province": "310000", "nation": "01", "transfer_reason": ["moved"],
        "guardian_name": "王建国", "guardian_relation": "parent", "guardian_phone": PHONE, "kindergarten": str(garden), "allergy": "花生过敏",
    }  # fmt: skip


def begun(user: User | None, who: Scope, **more: Any) -> Submission:
    return begin_submission(form="enrolment", entry="transfer", region="310101", scope=who, account=user, **more)


def with_papers(row: Submission, who: Scope, folder: Path) -> None:
    from PIL import Image

    for number, code in enumerate(("XQ-SF-001", "XQ-QT-001")):
        path = folder / f"{code}.png"
        Image.new("RGB", (40, 40), (number * 90, 10, 10)).save(path)
        attach_file(kind="submission", owner_id=str(row.pk), purpose=code, source=path, name=path.name, scope=who)


def handed_in(user: User, folder: Path, **changes: Any) -> Submission:
    who = scope(user)
    row = begun(user, who)
    with_papers(row, who, folder)
    outcome = submit(submission_id=row.pk, answers={**answers(), **changes}, seen=row.version, scope=who)
    assert outcome.checked.faults == ()
    return outcome.row


def test_a_draft_keeps_what_was_typed_even_where_it_cannot_be_read_and_seals_what_is_sensitive(parent: User) -> None:
    who, mark = scope(parent), new_id()
    row = begun(parent, who, id=mark)
    assert begun(parent, who, id=mark).pk == row.pk
    typed = {**answers(), "birthday": "昨天", "child_document": "smuggled", "stray": "x", "guardian_phone": "138"}
    saved = save_draft(submission_id=row.pk, answers=typed, seen=row.version, scope=who)
    kept = whole_answers(submission(row.pk, scope=who))
    assert (kept["birthday"], kept["guardian_phone"], kept["child_name"]) == ("昨天", "138", "王小明")
    assert "child_document" not in kept  # hidden by linkage: not even sealed
    assert "stray" not in kept
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM kernel_forms_submission s WHERE id = %s", [row.pk])
        stored = cursor.fetchone()[0]
    assert not any(secret in stored for secret in (answers()["child_identity"], "花生", "smuggled"))
    assert owners_with(field="child_identity", value=answers()["child_identity"]) == [row.pk]
    with pytest.raises(Conflict):
        save_draft(submission_id=row.pk, answers={}, seen=row.version - 1, scope=who)
    assert save_draft(submission_id=row.pk, answers={}, seen=saved.row.version, scope=who).row.answers == {}


def test_handing_in_needs_all_of_it_and_twice_is_once(parent: User, tmp_path: Path) -> None:
    who = scope(parent)
    row = begun(parent, who)
    short = submit(submission_id=row.pk, answers={**answers(), "child_name": ""}, seen=row.version, scope=who)
    assert short.row.state == "draft"
    assert [fault.field for fault in short.checked.faults] == ["child_name", "XQ-SF-001", "XQ-QT-001"]
    with_papers(row, who, tmp_path)
    done = submit(submission_id=row.pk, answers=answers(), seen=short.row.version, scope=who)
    assert (done.row.state, done.row.submitted_at is not None) == ("submitted", True)
    assert done.row.number is not None
    assert done.row.number.startswith("RY")
    again = submit(submission_id=row.pk, answers={}, seen=1, scope=who)
    assert (again.row.number, again.row.rounds.count()) == (done.row.number, 1)
    with pytest.raises(Conflict):
        save_draft(submission_id=row.pk, answers={}, seen=done.row.version, scope=who)


def test_nobody_elses_form_can_be_seen_filled_or_thrown_away(parent: User, tmp_path: Path) -> None:
    row = handed_in(parent, tmp_path)
    draft = begun(parent, scope(parent))
    stranger = scope(User.objects.create_user(username="stranger"))
    for who in (stranger, OTHER, Scope.public()):
        for target in (row, draft):
            with pytest.raises(NotFound):
                submission(target.pk, scope=who)
            with pytest.raises(NotFound):
                save_draft(submission_id=target.pk, answers={}, seen=1, scope=who)
            with pytest.raises(NotFound):
                discard_submission(submission_id=target.pk, scope=who)
    with pytest.raises(NotFound):
        begun(stranger.actor and User.objects.get(username="stranger"), stranger, id=draft.pk)
    with pytest.raises(NotFound):
        submission("not-a-uuid", scope=scope(parent))
    assert submission(row.pk, scope=HUANGPU).pk == row.pk
    with pytest.raises(NotFound):  # a draft is its writer's alone
        submission(draft.pk, scope=HUANGPU)
    assert [each.pk for each in submissions_handed_in(scope=HUANGPU)] == [row.pk]
    assert list(submissions_handed_in(scope=OTHER)) == []
    discard_submission(submission_id=draft.pk, scope=scope(parent))
    assert not Submission.objects.filter(pk=draft.pk).exists()


def test_staff_see_sensitive_answers_in_part_and_every_look_is_written_down(parent: User, tmp_path: Path) -> None:
    row = handed_in(parent, tmp_path)
    masked = answers_of(submission(row.pk, scope=HUANGPU))
    assert masked["guardian_phone"] == "138****5678"
    assert masked["allergy"] == "****"
    text = str(summary_of(row))
    assert PHONE not in text
    assert "花生" not in text
    assert {"guardian_phone", "allergy"} & facts_of(row).keys() == set()
    assert facts_of(row)["child_sex"] == "male"
    assert reveal_answer(submission_id=row.pk, key="guardian_phone", scope=HUANGPU) == PHONE
    entry = AuditEntry.objects.filter(act="answer_revealed").get()
    assert (entry.actor, entry.detail) == ("qu", {"submission": str(row.pk), "field": "guardian_phone"})
    with pytest.raises(Forbidden):
        reveal_answer(submission_id=row.pk, key="guardian_phone", scope=CLERK)
    with pytest.raises(NotFound):
        reveal_answer(submission_id=row.pk, key="guardian_phone", scope=OTHER)


def test_a_supplement_changes_only_what_was_asked_for_and_keeps_what_was_handed_in(
    parent: User, tmp_path: Path
) -> None:
    row = handed_in(parent, tmp_path)
    with pytest.raises(BadInput):
        reopen_for_supplement(submission_id=row.pk, fields=["nowhere"], certificates=[], why="x", scope=HUANGPU)
    with pytest.raises(NotFound):
        reopen_for_supplement(submission_id=row.pk, fields=["note"], certificates=[], why="x", scope=OTHER)
    row = reopen_for_supplement(
        submission_id=row.pk, fields=["guardian_phone"], certificates=["XQ-QT-001"], why="号码打不通", scope=HUANGPU
    )
    outcome = submit(
        submission_id=row.pk,
        answers={"guardian_phone": "13900001111", "child_name": "李四"},
        seen=row.version,
        scope=scope(parent),
    )
    assert outcome.checked.good
    now = whole_answers(outcome.row)
    assert (now["guardian_phone"], now["child_name"]) == ("13900001111", "王小明")
    assert [each.number for each in outcome.row.rounds.order_by("number")] == [1, 2]
    from services.crypto.sealing import unseal

    first = outcome.row.rounds.get(number=1)
    assert unseal(first.sealed["guardian_phone"], field="guardian_phone", owner=row.pk) == PHONE
    assert outcome.row.number == row.number


def test_a_term_withdrawn_while_a_draft_is_open_must_be_chosen_again_and_old_answers_keep_its_label(
    parent: User, tmp_path: Path
) -> None:
    done = handed_in(parent, tmp_path)
    row = begun(parent, scope(parent))
    row = save_draft(submission_id=row.pk, answers=answers(), seen=row.version, scope=scope(parent)).row
    dictionary = FormDictionary.objects.get(key="transfer_reason")
    lines = [("moved", "搬家（停用）", False), ("work", "父母工作变动", True), ("new", "新理由", True)]
    from .conftest import CITY

    save_terms(dictionary="transfer_reason", lines=lines, seen=dictionary.version, scope=CITY)
    outcome = submit(submission_id=row.pk, answers=answers(), seen=row.version, scope=scope(parent))
    assert ("transfer_reason", "not_offered") in {(fault.field, fault.code) for fault in outcome.checked.faults}
    texts = {line.key: line.text for part in summary_of(done) for line in part.lines}
    assert texts["transfer_reason"] == "搬家"
    better = submit(
        submission_id=row.pk,
        answers={**answers(), "transfer_reason": ["new"]},
        seen=outcome.row.version,
        scope=scope(parent),
    )
    assert "transfer_reason" not in {fault.field for fault in better.checked.faults}


def test_a_form_replaced_while_somebody_fills_it_may_be_handed_in_for_its_grace_and_then_moved_without_loss(
    parent: User, tmp_path: Path
) -> None:
    who = scope(parent)
    row = begun(parent, who)
    with_papers(row, who, tmp_path)
    row = save_draft(submission_id=row.pk, answers=answers(), seen=row.version, scope=who).row
    draft = begin_draft(form="enrolment", entry="transfer", region="310101", scope=HUANGPU)
    data = arranging.add_items(arranging.remove_item(draft.composition, "allergy"), 0, ["home_area"])
    draft = arrange(version_id=draft.pk, composition=data, seen=draft.version, scope=HUANGPU)
    assert last_day(row) is None
    newer = publish_version(version_id=draft.pk, seen=draft.version, scope=HUANGPU)
    today = timezone.localdate()
    assert last_day(row) == today + dt.timedelta(days=14)
    FormVersion.objects.filter(pk=newer.pk).update(
        published_at=timezone.now() - dt.timedelta(days=15), from_day=today - dt.timedelta(days=15)
    )
    with pytest.raises(Conflict, match="换到新版"):
        submit(submission_id=row.pk, answers=answers(), seen=row.version, scope=who)
    row = submission(row.pk, scope=who)
    moved = move_to_current(submission_id=row.pk, seen=row.version, scope=who)
    assert moved.form_version_id == newer.pk
    assert whole_answers(moved)["guardian_phone"] == PHONE
    assert submit(submission_id=row.pk, answers=None, seen=moved.version, scope=who).row.state == "submitted"
    other = begun(parent, who)
    withdraw_version(version_id=newer.pk, scope=HUANGPU)
    assert last_day(other) == today + dt.timedelta(days=14)


def test_known_values_fill_a_new_form_and_say_where_from(parent: User, tmp_path: Path) -> None:
    first = begun(parent, scope(parent))
    found, sources = prefilled(first)
    assert found == {"guardian_name": "王建国"}
    assert sources["guardian_name"]["title"] == "您的账号"
    handed_in(parent, tmp_path)
    found, sources = prefilled(begun(parent, scope(parent)))
    assert found["child_name"] == "王小明"
    assert found["child_identity"] == answers()["child_identity"]
    assert sources["child_name"]["as_of"][:10] == timezone.localdate().isoformat()


def test_clerks_fill_in_for_somebody_of_their_region_only() -> None:
    row = begun(None, HUANGPU)
    assert save_draft(submission_id=row.pk, answers=answers(), seen=row.version, scope=HUANGPU).row.account_id is None
    with pytest.raises(Forbidden):
        begun(None, OTHER)
    with pytest.raises(Forbidden):
        begun(None, Scope(duties=frozenset({"self.view"}), actor="parent"))
    with pytest.raises(NotFound):
        submission(row.pk, scope=OTHER)
