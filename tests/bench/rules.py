"""Rules: decisions by a table of 200 rows and conditions by expressions, beside the zen engine on the same table in the same run.

The peer gets its numbers as floats and gives them as floats; ours are exact decimals, and a missing fact decides nothing there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.kernel.expressions import Expression
from services.kernel.rules.deciding.findings import findings_of
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.deciding.tables import read_table
from services.kernel.rules.spec import Fact, RuleSetSpec
from tests.bench.report import Bar

ROWS = 200
SECONDS = 1.5
CONDITION = 'age >= 60 and (home in ["h1", "h2"] or income / people < 1420)'


def run() -> list[Bar]:
    """Return the lines of deciding, of conditions, and of making a table ready and looking it through."""
    cases = [
        {"age": 1 + n % 99, "home": f"h{n % 20}", "income": n * 37 % 9_000, "people": 1 + n % 5} for n in range(500)
    ]
    spec, sheet = _table()
    begun = time.perf_counter()
    table = read_table(sheet, spec)
    ready = (time.perf_counter() - begun) * 1e3
    begun = time.perf_counter()
    findings_of(sheet, spec)
    looked = (time.perf_counter() - begun) * 1e3
    decision = _peer_table(sheet)
    for case in cases:  # the two must agree before their speeds are compared
        ours = table.decide(case).outputs["who"]
        assert ours == decision(case), (case, ours)
    ours = _rate(table.decide, cases)
    peer = _rate(decision, cases)
    explained = _rate(lambda case: table.decide(case).explanation, cases)
    condition = Expression.condition(
        CONDITION, {"age": "number", "home": "text", "income": "number", "people": "number"}
    )
    one, other = _rate(condition.holds, cases), _rate(_peer_condition(), cases)
    note = "zen-engine on the same table, floats"
    return [
        Bar(f"decisions by a table of {ROWS} rows", ours, peer, ours / peer, "1/s", note),
        Bar(f"decisions by a table of {ROWS} rows, explained row by row", explained, None, None, "1/s", "in Chinese"),
        Bar("conditions by an expression", one, other, one / other, "1/s", "zen-engine, compiled once, floats"),
        Bar(f"a table of {ROWS} rows made ready", ready, None, None, "ms", "once for each version and process"),
        Bar(f"a table of {ROWS} rows looked through", looked, None, None, "ms", "gaps, overlaps, rows never used"),
    ]


def _table() -> tuple[RuleSetSpec, Sheet]:
    facts = (
        Fact("age", "年龄", "number", whole=True),
        Fact("home", "户籍"),
        Fact("income", "收入", "number"),
        Fact("people", "人数", "number"),
    )
    spec = RuleSetSpec("bench", "谁来办", facts, (Fact("who", "由谁办理"),))
    lines = [
        Line(f"r{n}", (f"[{10 * (n % 10)}..{10 * (n % 10) + 10})", f"h{n // 10}", ">= 0"), (f"w{n}",))
        for n in range(ROWS)
    ]
    return spec, Sheet(("age", "home", "income"), ("who",), tuple(lines))


def _peer_table(sheet: Sheet) -> Callable[[Mapping[str, Any]], Any]:
    import zen

    rules = [
        {
            "_id": line.key,
            "age": line.tests[0],
            "home": f"'{line.tests[1]}'",
            "income": line.tests[2],
            "who": f"'{line.results[0]}'",
        }
        for line in sheet.lines
    ]
    place = {"position": {"x": 0, "y": 0}}
    inputs = [{"id": name, "name": name, "field": name, "type": "expression"} for name in sheet.asks]
    content = {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": [{"id": "who", "name": "who", "field": "who", "type": "expression"}],
        "rules": rules,
    }
    graph = {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", **place},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": content, **place},
            {"id": "out", "name": "out", "type": "outputNode", **place},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    return lambda case: (decision.evaluate(case)["result"] or {}).get("who")


def _peer_condition() -> Callable[[Mapping[str, Any]], Any]:
    import zen

    return zen.compile_expression(CONDITION).evaluate  # type: ignore[no-any-return]


def _rate(work: Callable[[dict[str, Any]], Any], cases: Sequence[dict[str, Any]]) -> float:
    """Return how often a second the work is done, over whole rounds of the cases."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < SECONDS:
        for case in cases:
            work(case)
        done += len(cases)
    return done / spent
