"""Rules about apps, migrations and tasks that only a loaded project can answer."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import ForeignKey
from kombu import Queue

import web
from web.celery import app

OURS = ("geo", "tiles", "routing", "layers", "services", "fixtures", "web")
# What may refer to what, lowest first; the order of architecture.md.
HEIGHT = {
    "geo.calendars": 1, "geo.jobs": 1, "geo.imports": 2, "geo.regions": 3, "geo.roads": 4, "geo.addresses": 5, "geo.basemap": 5, "geo.fences": 5,
    "tiles": 6, "routing": 6, "layers": 7,
    "services.crypto": 8, "services.integrations": 9, "services.access": 10, "services.parties": 11, "services.facilities": 12, "services.basemaps": 12,
    "services.kernel": 13, "services.catchments": 14, "services.fencing": 14, "services.gaps": 15, "services.modules": 16, "web": 17,
}  # fmt: skip


def own_apps() -> dict[str, str]:
    return {config.label: config.name for config in apps.get_app_configs() if config.name.split(".")[0] in OURS}


def height(name: str) -> int:
    package = ".".join(name.split(".")[:2]) if name.startswith(("geo.", "services.")) else name.split(".")[0]
    return HEIGHT[package]


def test_every_app_has_its_place_in_the_order() -> None:
    assert [name for name in own_apps().values() if not height(name)] == []


def test_migrations_depend_downward_only() -> None:
    names = own_apps()
    loader = MigrationLoader(None)
    upward = [
        f"{label}.{migration} needs {needed_label}"
        for (label, migration), found in loader.disk_migrations.items()
        for needed_label, _ in found.dependencies
        if label in names and needed_label in names and height(names[needed_label]) > height(names[label])
    ]
    # Who did something may be noted anywhere, by the model the setting names: the one reference that points up.
    assert [line for line in upward if not line.endswith("needs access")] == []


def test_foreign_keys_point_downward_only() -> None:
    names = own_apps()
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and model._meta.app_label in names
        and field.related_model._meta.app_label in names
        and height(names[field.related_model._meta.app_label]) > height(names[model._meta.app_label])
    ]
    assert upward == []


def test_every_task_is_registered_and_has_a_worker() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled <= set(app.tasks)
    served = {app.conf.task_default_queue}
    routed = {route["queue"] for route in (app.conf.task_routes or {}).values() if "queue" in route}
    declared = {queue.name for queue in app.conf.task_queues or () if isinstance(queue, Queue)}
    assert routed | declared <= served
    assert {task.queue for task in app.tasks.values() if getattr(task, "queue", None)} <= served


def test_task_modules_are_those_the_worker_looks_for() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    strays = [name for name, task in ours.items() if not task.__module__.endswith(".tasks")]
    assert strays == []


@pytest.mark.parametrize("package", OURS)
def test_every_module_opens_by_saying_what_it_is_for(package: str) -> None:
    try:
        root = importlib.import_module(package)
    except ModuleNotFoundError:
        pytest.skip(f"{package} does not exist yet")
    silent = []
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if ".migrations" in found.name or ".management" in found.name:
            continue
        module = importlib.import_module(found.name)
        if not (module.__doc__ or "").strip():
            silent.append(found.name)
    assert silent == []
    assert web.__doc__
