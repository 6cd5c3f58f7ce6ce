"""Work handed out by the rules that staff wrote: written on the page, asked by the engine, seen in the inbox."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from services.access.models import User
from services.kernel.rules.actions import open_draft, publish_version, save_sheet
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.models import DecisionRecord, RuleVersion
from services.kernel.rules.queries import sheet_kept
from services.kernel.workflow.models import Case, Task
from services.kernel.workflow.rules import DISPATCH
from tests.services.kernel.workflow.conftest import World, code_of, scope


def client(user: User) -> Client:
    made = Client()
    made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def to_site(world: World, by: User) -> Case:
    """Open a case and let the street approve, so that the site visit is handed out by rule."""
    case = world.open(area=200)
    world.decide(case, by)
    return case


def published(world: World, region: str, *lines: tuple[str, str]) -> RuleVersion:
    """Publish rules that name accounts by the name of the step."""
    shi = scope(world.shi)
    draft = open_draft(key=DISPATCH.key, region=code_of(region), scope=shi)
    sheet = Sheet(
        ("step",), ("handlers",), tuple(Line(f"r{n}", (step,), (who,)) for n, (step, who) in enumerate(lines))
    )
    draft = save_sheet(version_id=draft.pk, sheet=sheet, seen=draft.revision, scope=shi)
    return publish_version(
        version_id=draft.pk, seen=draft.revision, from_day=timezone.localdate(), reason="分工", accept=True, scope=shi
    )


@pytest.mark.covers("ELD-GOV-40", via="services.kernel.workflow.by_rules:named_by_rules")
def test_work_goes_to_whom_the_rules_written_beforehand_name(world: World) -> None:
    # without rules the visit goes to who has less to do: wang took the review, so it is li
    assert world.waiting(to_site(world, world.wang))["site"] == "li"

    # the city's manager writes on the page: site visits from the window go to wang
    shi = client(world.shi)
    at = shi.post(f"/desk/rules/{DISPATCH.key}/draft", {"region": "310000"})["Location"]
    draft = RuleVersion.objects.get(rule_set=DISPATCH.key)
    shi.post(at, {"seen": "1", "act": "row-add:0"})
    draft.refresh_from_db()
    line = sheet_kept(draft).lines[0].key
    cells = {f"t{n}": text for n, text in enumerate(("社区服务点登记", "-", "现场核查", "网上申请", "-", "-"))}
    table = {"line": line, "note": "", "g0": "wang", "seen": str(draft.revision), **cells}
    assert shi.post(at, table | {"act": "check"}).status_code == 302
    draft.refresh_from_db()
    today = timezone.localdate().isoformat()
    done = shi.post(at, {"act": "publish", "seen": draft.revision, "from_day": today, "reason": "分工", "accept": "1"})
    assert done.status_code == 302

    # from now on the system hands such work to wang, though wang has more to do, and wang finds it in the inbox
    case = to_site(world, world.wang)
    assert world.waiting(case)["site"] == "wang"
    record = DecisionRecord.objects.get(subject=f"case:{case.number}")
    assert record.results == [{"handlers": ["wang"]}]
    assert record.facts["region"] == "老西门街道"
    assert case.title in client(world.wang).get("/desk/cases").content.decode()


def test_a_district_has_rules_of_its_own_and_several_share_evenly(world: World) -> None:
    published(world, "", ("现场核查", "wang"))
    published(world, "黄浦区", ("现场核查", "wang,li"))
    assert world.waiting(to_site(world, world.wang))["site"] == "li"
    assert world.waiting(to_site(world, world.wang))["site"] in ("wang", "li")
    assert {task.assignee.username for task in Task.objects.filter(step="site") if task.assignee} == {"wang", "li"}
