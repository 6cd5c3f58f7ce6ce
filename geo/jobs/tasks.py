"""Celery's side of jobs: run one, and look for those whose worker died."""

from celery import shared_task

from geo.jobs.actions import RUN_TASK, revive_jobs, run_in_turn


@shared_task(name=RUN_TASK)
def run(job_id: str) -> None:
    """Run one job by its id, or put it off while its actor has another at work."""
    run_in_turn(job_id=job_id)


@shared_task(name="geo.jobs.revive")
def revive() -> int:
    """Queue again what dead workers left; beat calls this every minute."""
    return len(revive_jobs())
