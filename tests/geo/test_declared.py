"""What applications declare is found by the names of modules and values, in order, each key once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.apps import apps

from geo.declared import by_key, declarations, modules_named


def test_modules_come_in_the_order_of_the_applications() -> None:
    found = [module.__name__ for module in modules_named("map_layers")]
    order = [config.name for config in apps.get_app_configs()]
    assert len(found) > 5
    assert found == sorted(found, key=lambda name: order.index(name.removesuffix(".map_layers")))
    assert list(modules_named("no_application_has_this")) == []


def test_a_module_that_declares_nothing_of_a_name_is_told_where_it_must() -> None:
    assert len(list(declarations("map_layers", "LAYERS"))) > 10
    assert list(declarations("map_layers", "MAPS", needed=False)) == []
    with pytest.raises(AttributeError, match="MAPS"):
        list(declarations("map_layers", "MAPS"))


def test_what_follows_from_other_declarations_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    module = next(modules_named("map_layers"))
    monkeypatch.setattr(module, "LATER", lambda: ("one", "two"), raising=False)
    assert list(declarations("map_layers", "LATER", needed=False)) == ["one", "two"]


def test_a_key_is_declared_once() -> None:
    first, second = SimpleNamespace(key="a", code="1"), SimpleNamespace(key="a", code="2")
    assert by_key([first, first], "pond") == {"a": first}
    assert by_key([first, second], "pond", key="code") == {"1": first, "2": second}
    with pytest.raises(ValueError, match="the pond a is declared twice"):
        by_key([first, second], "pond")
