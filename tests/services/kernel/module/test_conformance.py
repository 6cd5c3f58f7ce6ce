"""What every business module must be: declared soundly, walkable from the form to the end, drawn, and kept within its scope."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.test import Client
from PIL import Image

from geo.addresses.models import Address
from geo.imports.models import CURRENT
from geo.regions.models import RegionVersion
from layers.spec import LayerSpec
from services.access.actions import declare_roles, grant_role
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.access.roles import roles
from services.crypto.keystore import make_keystore
from services.facilities.models import Facility
from services.kernel.documents.actions import attach_file
from services.kernel.forms.actions import save_draft, submit
from services.kernel.forms.queries import form_of, papers_shown
from services.kernel.ledger.queries import visible
from services.kernel.ledger.registry import may_open
from services.kernel.module.registry import Module, modules
from services.kernel.spec import LedgerSpec
from services.kernel.workflow.actions import decide
from services.kernel.workflow.applying import begin_application, case_of_submission
from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.filling import form_of_step
from services.kernel.workflow.models import Case, Task, TaskState
from services.kernel.workflow.queries import step_of
from services.kernel.workflow.registry import declared_diagram, facts_of
from services.kernel.workflow.spec import MatterSpec
from services.kernel.workflow.transitions import State
from tests.services.kernel.module.answering import Ground, answer, answers_for
from tiles.schemes import tile_at

ROOT = Path(__file__).resolve().parents[4]
MODULES = tuple(modules().values())
MATTERS = tuple((module, matter) for module in MODULES for matter in module.matters)
LEDGERS = tuple(ledger for module in MODULES for ledger in module.ledgers)


def key_of(module: Module) -> str:
    return module.spec.key


@cache
def icons() -> frozenset[str]:
    """Return the icons there are."""
    serving = ROOT / "web/serving"
    listed = (serving / "icons.txt").read_text(encoding="utf-8").split()
    return frozenset(listed) | {glyph.stem for glyph in (serving / "glyphs").iterdir()}


@cache
def duties() -> frozenset[str]:
    return frozenset(duty for role in roles() for duty in role.duties)


@pytest.mark.parametrize("module", MODULES, ids=key_of)
def test_a_module_says_what_it_is(module: Module) -> None:
    with (ROOT / "docs/requirements.csv").open(encoding="utf-8") as file:
        systems = {row["system"] for row in csv.DictReader(file)}
    assert module.spec.system in systems | {"示例"}
    assert module.spec.title
    assert module.spec.summary.endswith("。")
    assert {module.spec.icon, *(ledger.icon for ledger in module.ledgers)} <= icons()
    label = apps.get_app_config(module.spec.key).name
    assert label == f"services.modules.{module.spec.key}"


@pytest.mark.parametrize("module", MODULES, ids=key_of)
def test_every_duty_that_it_names_is_some_roles(module: Module) -> None:
    named = {ledger.duty for ledger in module.ledgers} | {matter.duty for matter in module.matters}
    named |= {step.duty for matter in module.matters for step in matter.flow.steps()}
    named |= {ledger.intake.duty for ledger in module.ledgers if ledger.intake}
    named |= {rules.duty for rules in module.rules}
    assert named - {""} <= duties()
    asked = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "services" / "modules" / module.spec.key).rglob("*.py")
        if path.name != "duties.py"
    )
    prefixes = {duty.key.partition(".")[0] for duty in module.duties if f'"{duty.key}"' not in asked}
    assert prefixes <= {duty.partition(".")[0] for duty in named}, "a duty that opens nothing"


@pytest.mark.parametrize(("module", "matter"), MATTERS, ids=lambda one: getattr(one, "key", ""))
def test_every_step_can_be_reached_and_left(module: Module, matter: MatterSpec) -> None:
    assert check_diagram(declared_diagram(matter), facts=dict(facts_of(matter))) == []
    assert matter.help, "who applies is told nothing of it"


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda ledger: ledger.key)
def test_a_ledger_names_what_its_model_has(ledger: LedgerSpec) -> None:
    rows = apps.get_model(ledger.model)._default_manager.none()
    unknown = []
    for key in [each.key for each in ledger.columns] + [each for each in (ledger.point, ledger.region) if each]:
        try:
            rows.values(key)
        except FieldError:
            unknown.append(key)
    assert unknown == []


class Ways:
    """Somebody who applies in a street of the tiny city, and somebody of every level who may decide there."""

    def __init__(self) -> None:
        declare_roles()
        published = RegionVersion.objects.filter(edition__state="published")
        self.door = Address.objects.filter(CURRENT, region__isnull=False).order_by("pk")[:1].get()
        at = published.get(region=self.door.region_id)
        self.street = published.get(level="street", code__in=at.path.split("."))
        self.path = self.street.path.rstrip(".").split(".")
        self.by_level = {
            "street": self._user("street_clerk", self.path[2]),
            "district": self._user("district_manager", self.path[1]),
            "city": self._user("city_manager", self.path[0]),
        }
        self.elsewhere = self._user("street_clerk", "310110", name="walks_elsewhere")
        self.applicant = User.objects.create_user("sheqing", display_name="申请人")

    def _user(self, role: str, code: str, name: str = "") -> User:
        user = User.objects.create_user(name or f"walks_{role}", display_name=role)
        region = RegionVersion.objects.get(code=code, edition__state="published").region
        grant_role(user=user, role=role, granted_by="test", region=region)
        return user

    def ground(self) -> Ground:
        """Return what answers may name."""
        below = RegionVersion.objects.filter(path__startswith=self.street.path, edition__state="published")
        codes = {"city": self.path[0], "district": self.path[1], "street": self.path[2]}
        committee = below.filter(level="committee").values_list("code", flat=True).first() or ""
        places = Facility.objects.filter(CURRENT, region__in=below.values("region")).values_list("kind", "pk")
        return Ground(self.door.text, codes | {"committee": committee}, dict(places))


@pytest.fixture
def ways(city: None, tmp_path: Path, settings: Any) -> Ways:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    settings.MEDIA_ROOT = tmp_path / "media"
    return Ways()


@pytest.mark.parametrize("module", [module for module in MODULES if module.matters], ids=key_of)
def test_a_made_up_case_of_each_matter_walks_from_its_form_to_the_end(
    module: Module, ways: Ways, tmp_path: Path
) -> None:
    """The matters are walked in the order declared: a change may need what an earlier one entered."""
    for matter in module.matters:
        case = handed_in(matter, ways, tmp_path)
        for _ in range(2 * len(list(matter.flow.steps())) + 2):
            if case.state != State.OPEN:
                break
            decide_next(case, ways)
            case.refresh_from_db()
        assert (matter.key, case.state) == (matter.key, State.APPROVED)
    if module.spec.ended:
        here, elsewhere = rows_seen(module, ways.by_level["street"]), rows_seen(module, ways.elsewhere)
        assert any(here.values()), "the end of its cases left no trace in any ledger"
        assert not [key for key, rows in here.items() if {row.pk for row in rows} & {row.pk for row in elsewhere[key]}]
        for layer in module.layers:
            assert any(drawn(layer, row) for rows in here.values() for row in rows), f"{layer.key} draws none of it"


def rows_seen(module: Module, user: User) -> dict[str, list[Any]]:
    """Return the rows that somebody sees in each ledger of a module."""
    scope = scope_of(Caller(user))
    return {
        ledger.key: list(visible(ledger, scope=scope)) if may_open(ledger, scope) else [] for ledger in module.ledgers
    }


def drawn(layer: LayerSpec, row: Any) -> bool:
    """Say whether a layer draws something where a row stands."""
    if not hasattr(row, "geom"):
        return False
    zoom = max(layer.min_zoom, 15)
    tile = tile_at(row.geom.x, row.geom.y, zoom)
    return len(Client().get(f"/tiles/{layer.key}/{tile.z}/{tile.x}/{tile.y}.mvt").content) > 0


def handed_in(matter: MatterSpec, ways: Ways, folder: Path) -> Case:
    """Hand in the form of a matter with all its papers, and return the case it opened."""
    scope = scope_of(Caller(ways.applicant))
    row = begin_application(matter=matter.key, region=ways.street.code, user=ways.applicant, scope=scope, id=uuid4())
    form, ground = form_of(row), ways.ground()
    answers = answers_for(form, ground)
    row = save_draft(submission_id=row.pk, answers=answers, seen=row.version, scope=scope).row
    for each in papers_shown(row, form):
        for number in range(max(each.certificate.least, 1)):
            paper = folder / f"{each.key}-{number}.png"
            colour = (len(list(folder.iterdir())), 90, 120)  # no two of one content
            Image.new("RGB", (400, 300), colour).save(paper)
            attach_file(
                kind="submission", owner_id=str(row.pk), purpose=each.key, source=paper, name=paper.name, scope=scope
            )
    done = submit(submission_id=row.pk, answers=answers, seen=row.version, scope=scope)
    assert done.checked.faults == ()
    case = case_of_submission(row.pk)
    assert case is not None
    return case


def decide_next(case: Case, ways: Ways) -> None:
    """Let who may decide the first open task of a case do so, with its good outcome."""
    task = Task.objects.filter(case=case, state=TaskState.OPEN).order_by("pk").first()
    assert task is not None, "the case stands still"
    user = ways.applicant if task.level == "applicant" else ways.by_level[task.level]
    step = step_of(case, task)
    form = form_of_step(step)
    ground = ways.ground()
    filled = {one.key: answer(one.field, form.dictionaries, ground) for one in form.questions()} if form else {}
    decide(
        uid=case.uid, outcome=step.outcomes[0].key, user=user, scope=scope_of(Caller(user)), key=str(uuid4()),
        version=case.version, opinion="同意", task_id=task.pk, filled=filled,
    )  # fmt: skip
