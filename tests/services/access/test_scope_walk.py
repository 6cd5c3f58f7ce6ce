"""Every route is walked as every role of another region, another organisation and another person: nothing breaks, nobody sees
what is hidden, and whatever is posted changes nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from geo.regions.models import Region
from services.access.models import User
from tests.services.access.hidden_world import (
    CITYWIDE,
    IN_DISTRICT,
    OWN,
    SIGN,
    SOUGHT,
    UNSEEN,
    HiddenWorld,
    kinds,
    label_of,
)
from tests.services.access.walking import (
    Form,
    browser,
    forms_of,
    paths_of,
    routes,
    said,
    samples,
    signed_in,
    walkers,
)

ENDING = ("/sign-out", "/account/sessions/end")
"""Where the walk would lock itself out."""
STILL = ("/help", "/api/openapi.json", "/api/docs", "/style", "/developer", "/api/v1/kinds")
"""Pages that say the same to everybody: one walks them for all."""
PERSONAL = (
    "/exports",
    "/api/v1/exports",
    "/my",
    "/forms",
    "/account",
    "/tools",
    "/api/v1/addresses/batches",
    "/desk/messages",
)
"""Pages on which everybody sees his own."""
OF_ONESELF = ("/account", "/sign-", "/view", "/my/data")
"""Forms about the account of whoever sends them."""
ASKED_OF_LEDGERS = {"", "district_manager", "street_clerk", "planner", "resident", "colleague"}
"""Those whose way through the ledgers is walked in ``tests/web/test_ledger_scope.py``, and further."""
POSTING = {"", "city_manager", "institution_head", "resident"}
"""Who posts: of those of another region the one whose duties hold those of all others."""
ODD = {"name": ["x"], "status": ["closed"], "reason": ["x"], "active": ["0"], "confirm": ["1"], "version": ["1"]}


@pytest.fixture
def world(city: None, tmp_path: Path, settings: Any) -> HiddenWorld:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "papers").mkdir()
    return HiddenWorld(tmp_path / "papers")


def every_path(world: HiddenWorld) -> list[str]:
    known = samples(world)
    filled = [path for pattern in routes() for path in paths_of(pattern, world, known)]
    return [path for path in dict.fromkeys(filled) if not path.startswith(ENDING)]


def asked(path: str) -> str:
    """Return an address as it is asked: where something is searched, for what is hidden, without its telltale word."""
    if path in {"/", "/find/suggest", "/api/v1/suggest", "/api/v1/geocode", "/places"}:
        return f"{path}?q={SOUGHT}"
    if path.endswith("/pins.json"):
        return f"{path}?bbox=120,30,123,33"
    return f"{path}?format=csv" if path.endswith("/export") else path


def signs(answer: Any, path: str) -> set[str]:
    """Return of which models an answer shows something; what was asked for may be said again."""
    return {label_of(int(number)) for number in SIGN.findall(said(answer).replace(path, ""))}


@pytest.mark.timeout(900)  # one walk of thousands of steps; less than a minute where nothing else runs
def test_no_role_of_elsewhere_breaks_a_route_sees_anything_or_changes_anything(world: HiddenWorld) -> None:
    """The forms that are posted are those that its owners are served, as they are served, and a form of odd fields besides."""
    people, paths, plain = walkers(world), every_path(world), set(routes())
    offered = served(world, paths)
    odd = [Form(path, ODD) for path in paths if path not in plain]
    people["colleague"] = signed_in("colleague", "street_clerk", region=world.region)
    before, broken, leaks, changed = world.kept(), [], [], []
    for who, client in people.items():
        for path in paths:
            if who and path.startswith(STILL) or who in ASKED_OF_LEDGERS and path.startswith("/desk/ledgers"):
                continue
            answer = client.get(asked(path))
            broken += faults(who, path, answer)
            leaks += [(who, path, label) for label in signs(answer, path) if is_hidden(label, who)]
        for form in (*(offered if who in POSTING else ()), *(odd if who in {"city_manager", "resident"} else ())):
            broken += faults(who, form.action, client.post(form.action, form.fields))
        changed += [(who, label) for label, rows in world.kept().items() if rows != before[label]]
    assert broken == []
    assert leaks == []
    assert changed == []
    for client in (browser(world.clerk), browser(world.person)):
        for form in offered:
            client.post(form.action, form.fields)
    theirs = [label for label, rows in world.kept().items() if rows != before[label]]
    assert len(theirs) > 20, "the same forms change much where they come from its owners"


def faults(who: str, path: str, answer: Any) -> list[tuple[str, str, int]]:
    """Return that an answer is an error of ours, if it is."""
    broken = answer.status_code >= 500 and answer.status_code != 503
    return [(who, path, answer.status_code)] if broken else []


def is_hidden(label: str, who: str) -> bool:
    """Say whether somebody must see nothing of a model's row; a name of an account may stand beside what he may see."""
    if who == "colleague":
        return label in OWN
    if label in {*CITYWIDE, "access.User"} or who in IN_DISTRICT.get(label, ()):
        return who in {"", "resident"}
    return True


def owners(world: HiddenWorld) -> dict[str, Client]:
    """Return the browsers of those whom the world belongs to."""
    city = Region.objects.get(versions__code="310000", versions__edition__state="published")
    return {
        "clerk": browser(world.clerk),
        "person": browser(world.person),
        "city": signed_in("whole-city", "city_manager", region=city),
    }


def served(world: HiddenWorld, paths: list[str]) -> list[Form]:
    """Return the forms that its owners are served, and see that each of them sees what is hidden from others."""
    seen: set[str] = set()
    forms: dict[tuple[str, ...], Form] = {}
    reached: set[str] = set()
    for who, client in owners(world).items():
        for path in paths:
            if path in reached or path.startswith(STILL):
                continue
            answer = client.get(asked(path))
            seen |= signs(answer, path)
            if answer.status_code == 200 and not path.startswith(PERSONAL):
                reached.add(path)
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                found = [form for form in forms_of(path, said(answer)) if not form.action.startswith(OF_ONESELF)]
                forms |= {(form.action, *sorted(form.fields), *form.fields.get("act", ())): form for form in found}
        assert seen, f"{who} is shown nothing"
    assert {model._meta.label for model in kinds()} - seen - {*UNSEEN, *CITYWIDE} == set(), (
        "shown to nobody: is it hidden?"
    )
    assert len(forms) > 80
    return list(forms.values())


def test_every_hidden_row_is_there_to_be_found(world: HiddenWorld) -> None:
    assert set(world.rows) >= set(kinds())
    assert all(world.kept().values())
    known = {model._meta.label for model in kinds()}
    assert {*CITYWIDE, *IN_DISTRICT, *OWN} <= known
    assert User in world.rows
