"""Registrations that families hand in, by the real forms with their papers, for tests that take a register from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone

from geo.addresses.models import Address
from geo.scope import Scope
from services.access.models import User
from services.catchments.validating.models import RegisterRow
from services.catchments.validating.sealing import of_row, seal_of
from services.facilities.models import Facility
from services.kernel.documents.actions import attach_file
from services.kernel.forms.actions import begin_submission, submit
from services.kernel.forms.answering.identity import check_sign
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import form_of, papers_shown
from tests.services.catchments.districts import HUANGPU, names, street_of
from tests.services.kernel.documents.files import picture

PHONE = "13812345678"


def address_of(row: RegisterRow) -> str:
    """Return the address of a row of a register in plain."""
    return seal_of(row.register).open(row.address, place=of_row(row.number))


def coming_year() -> int:
    """Return the year for which registrations are handed in today."""
    today = timezone.localdate()
    return today.year + (today.month >= 9)


def identity(number: int) -> str:
    """Return the identity number of the ``number``th boy of a day."""
    begun = f"31010120220915{2 * number + 1:03d}"
    return begun + check_sign(begun)


def where(door: Address) -> dict[str, Any]:
    """Return what a family says of where it lives: registered there."""
    street, committee = street_of(door.region_id), names().region(door.region_id)
    assert street is not None
    assert committee is not None
    return {
        "same_address": True, "hukou_address": door.text, "home_street": street.code, "home_committee": committee.name,
    }  # fmt: skip


def answers(number: int, said: dict[str, Any], entry: str = "local") -> dict[str, Any]:
    """Return a whole registration of a child."""
    garden = Facility.objects.filter(kind="kindergarten").order_by("pk").values_list("pk", flat=True).first()
    own: dict[str, Any] = {
        "local": {"hukou_category": "local", "hukou_nature": "family", "householder_relation": "parent"},
        "permit": {"hukou_category": "permit", "permit_points": "none"},
    }[entry]
    return own | {
        "child_name": "幼儿" + "甲乙丙丁戊己庚辛壬癸"[number % 10], "document_type": "id", "child_identity": identity(number), "child_sex": "male",
        "birthday": "2022-09-15", "nationality": "156", "birth_province": "310000", "nation": "01", "housing": "rented",
        "owner_relation": "parent", "guardian_name": "王建国", "guardian_relation": "parent", "guardian_phone": PHONE,
        "kindergarten": str(garden), **said,
    }  # fmt: skip


def begun(user: User, region: str = HUANGPU, entry: str = "local") -> Submission:
    """Begin a registration of a family."""
    who = Scope(duties=frozenset({"self.view"}), actor=user.username)
    return begin_submission(form="enrolment", entry=entry, region=region, scope=who, account=user)


def handed_in(
    user: User, folder: Path, number: int, said: dict[str, Any], *, region: str = HUANGPU, entry: str = "local"
) -> Submission:
    """Hand a registration in with its papers."""
    who = Scope(duties=frozenset({"self.view"}), actor=user.username)
    row = begun(user, region, entry)
    outcome = submit(submission_id=row.pk, answers=answers(number, said, entry), seen=row.version, scope=who)
    row = outcome.row
    for paper in papers_shown(row, form_of(row)):
        for at in range(paper.certificate.least):
            path = folder / f"{row.pk}-{paper.key}-{at}.png"
            path.write_bytes(picture("PNG", size=(40 + at, 40)))
            attach_file(
                kind="submission", owner_id=str(row.pk), purpose=paper.key, source=path, name=path.name, scope=who
            )
    outcome = submit(submission_id=row.pk, answers=answers(number, said, entry), seen=row.version, scope=who)
    assert outcome.checked.faults == (), outcome.checked.faults
    return outcome.row
