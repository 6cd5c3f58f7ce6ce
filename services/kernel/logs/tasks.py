"""Celery's side of the log centre: collect often, judge the rules, keep the months."""

from celery import shared_task

from services.kernel.logs.alerting import judge_rules
from services.kernel.logs.collecting import collect_logs
from services.kernel.logs.storage import ensure_partitions, purge_logs


@shared_task(name="services.kernel.logs.collect")
def collect() -> int:
    """Collect what is new, and judge the rules over it."""
    done = collect_logs()
    judge_rules()
    return done


@shared_task(name="services.kernel.logs.keep_months")
def keep_months() -> int:
    """Make the partitions to come, and drop those whose time is over."""
    ensure_partitions()
    return len(purge_logs())
