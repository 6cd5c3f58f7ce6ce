"""What a module may say of itself, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geo.errors import NotFound
from services.kernel.module import registry
from services.kernel.module.registry import module_named, modules
from services.kernel.module.spec import Hook, ModuleSpec, check_module
from services.modules.example.module import MODULE


def test_every_package_of_modules_is_one() -> None:
    from django.conf import settings

    assert {f"services.modules.{key}" for key in modules()} == set(settings.MODULES)
    assert {"example", "enrolment"} <= set(modules())


def test_modules_stand_in_their_order() -> None:
    orders = [module.spec.order for module in modules().values()]
    assert orders == sorted(orders)
    assert list(modules())[-1] == "example"


def test_an_unknown_module_is_said_to_be_none() -> None:
    with pytest.raises(NotFound, match="没有这个业务模块"):
        module_named("nothing")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(MODULE, key="Example"), "not a key"),
        (replace(MODULE, ended=(Hook("service_point", "no function"),)), "names no function"),
        (replace(MODULE, ended=(*MODULE.ended, *MODULE.ended)), "hooked twice"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(spec: ModuleSpec, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_module(spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(MODULE, key="another"), "stands in the package example"),
        (replace(MODULE, ended=(Hook("adviser_new", MODULE.ended[0].calls),)), "adviser_new is no matter of its own"),
        (
            replace(MODULE, recorded=(Hook("service-point", MODULE.ended[0].calls),)),
            "service-point is no form of its own",
        ),
        (replace(MODULE, ended=(Hook("service_point", "services.modules.example.actions:nobody"),)), "no function"),
        (replace(MODULE, ended=(Hook("service_point", "services.nowhere:register_point"),)), "no function"),
    ],
)
def test_a_module_hooks_only_what_is_its_own(monkeypatch: pytest.MonkeyPatch, spec: ModuleSpec, said: str) -> None:
    import services.modules.example as package
    from services.modules.example import module

    monkeypatch.setattr(module, "MODULE", spec)
    with pytest.raises(ValueError, match=said):
        registry._module("example", package)


def test_what_modules_want_done_by_the_clock_is_entered_in_it_and_has_a_worker() -> None:
    from web.celery import app
    from web.schedule import HouseScheduler

    entered: dict[str, str] = {}

    class Noting(HouseScheduler):  # type: ignore[misc]
        """The clock of the house, which says what it enters and touches no database."""

        schedule: Any = None

        def __init__(self) -> None:
            self.app = app

        def install_default_entries(self, data: Any) -> None: ...

        def update_from_dict(self, mapping: dict[str, dict[str, Any]]) -> None:
            entered.update({key: each["task"] for key, each in mapping.items()})

    app.loader.import_default_modules()
    Noting().setup_schedule()
    assert entered == {key: each["task"] for key, each in {**app.conf.beat_schedule, **registry.periodic()}.items()}
    assert entered["judge-advisers"] == "services.modules.advisers.judge_all"
    assert [task for task in entered.values() if task not in app.tasks] == []
    assert str(app.conf.beat_scheduler) == f"{HouseScheduler.__module__}:{HouseScheduler.__name__}"


def test_a_clock_that_names_two_things_alike_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = modules()["advisers"]
    monkeypatch.setattr(registry, "modules", lambda: {"a": module, "b": module})
    with pytest.raises(ValueError, match="in the clock twice"):
        registry.periodic()
