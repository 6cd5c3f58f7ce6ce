"""A million events of persons, told to everyone: suppressed as any fact about persons is."""

from layers.facts.spec import FactSpec

FACTS = (
    FactSpec(
        key="bench_events",
        title="事件",
        summary="基准测试的事件。",
        unit="人次",
        category="own",
        table="bench_events",
        region="NULL::bigint",
        cell="t.cell",
        moment="t.at",
        heads="count(*)",
        touched="(SELECT count(*) FROM (SELECT 1 FROM bench_events LIMIT 1) s)",
    ),
)
