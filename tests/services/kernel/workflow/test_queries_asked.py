"""How often an act asks the database: a number, so that nobody adds a question for each row without seeing it."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from services.kernel.workflow import actions
from tests.services.kernel.workflow.conftest import World, scope

MOST = 34
"""Messages to two people, the timeline, a new task and the locks included."""


def test_a_decision_asks_no_more_often_however_long_the_history_is(world: World) -> None:
    case, his = world.open(), scope(world.wang)
    counts = []
    for turn in range(3):
        case.refresh_from_db()
        with CaptureQueriesContext(connection) as asked:
            actions.decide(
                uid=case.uid, outcome="approve", opinion="好", user=world.wang, scope=his, key=f"k{turn}", version=case.version
            )  # fmt: skip
        counts.append(len(asked))
        editions = [each for each in asked.captured_queries if 'FROM "regions_edition"' in each["sql"]]
        assert len(editions) == 1
        world.act("return_to", case, world.qu, step="street", opinion="再看")
    warm = counts[1:]  # the first may read chains of regions that never change
    assert max(warm) <= MOST, counts
    assert warm[0] == warm[1]
