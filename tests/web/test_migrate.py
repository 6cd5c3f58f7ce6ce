"""The frugal states of ``migrate`` lead to the statements that Django's own lead to."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from web.management.commands.migrate import FrugalState

pytestmark = pytest.mark.django_db


def statements(steps: list[migrations.Migration], state: ProjectState) -> list[str]:
    said: list[str] = []
    for step in steps:
        with connection.schema_editor(collect_sql=True, atomic=step.atomic) as editor:
            state = step.apply(state, editor, collect_sql=True)
        said += editor.collected_sql
    return said


def test_the_tables_of_accounts_and_all_they_need_are_made_by_the_same_statements() -> None:
    loader = MigrationLoader(connection)
    plan = [loader.graph.nodes[key] for key in loader.graph.forwards_plan(("access", "0001_initial"))]
    frugal = statements(plan, FrugalState())
    assert len(frugal) > 100
    assert frugal == statements(plan, ProjectState())


def shop(seen: list[int]) -> list[migrations.Migration]:
    """Return migrations whose tables grow fields, indexes and incoming relations before their keys and names change."""

    def count(apps: Any, _: Any) -> None:
        seen.append(len(apps.get_model("shop", "Place")._meta.related_objects))

    def points_to(name: str) -> models.ForeignKey[Any, Any]:
        return models.ForeignKey(to=name, null=True, on_delete=models.CASCADE)

    def table(name: str, **fields: models.Field[Any, Any]) -> migrations.CreateModel:
        return migrations.CreateModel(name, [("id", models.IntegerField(primary_key=True)), *fields.items()])

    steps = [
        [table("Town"), table("Place", town=points_to("shop.town"))],
        [
            table("Visit", place=points_to("shop.place")),
            migrations.AddField("town", "first", points_to("shop.place")),
            migrations.AddIndex("visit", models.Index(fields=["place", "id"], name="by_place")),
        ],
        [migrations.RunPython(count)],
        [
            migrations.AddField("visit", "town", points_to("shop.town")),
            migrations.AlterField("town", "id", models.BigIntegerField(primary_key=True)),
            migrations.AlterField("place", "id", models.BigIntegerField(primary_key=True)),
            migrations.RenameField("place", "town", "city"),
            migrations.RenameModel("Visit", "Call"),
            migrations.AddField("place", "last", points_to("shop.call")),
        ],
        [migrations.RunPython(count)],
    ]
    plan = [migrations.Migration(f"{number:04}", "shop") for number in range(len(steps))]
    for migration, operations in zip(plan, steps, strict=True):
        migration.operations = operations
    return plan


def run(plan: list[migrations.Migration], state: ProjectState) -> list[str]:
    """Run the migrations in the database, take them back, and return what it was told."""
    with CaptureQueriesContext(connection) as told, transaction.atomic():
        for migration in plan:
            with connection.schema_editor(atomic=False) as editor:
                state = migration.apply(state, editor)
        transaction.set_rollback(True)
    return [query["sql"] for query in told.captured_queries if "SAVEPOINT" not in query["sql"]]


def test_keys_that_change_later_change_everywhere_and_code_of_migrations_sees_all_relations() -> None:
    seen: list[int] = []
    frugal = run(shop(seen), FrugalState())
    assert frugal == run(shop(seen), ProjectState())
    assert sum("TYPE bigint" in said for said in frugal) >= 5
    assert seen == [2, 2, 2, 2]
