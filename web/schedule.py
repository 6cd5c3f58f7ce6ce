"""The clock of the house: what the settings say is done when, and what business modules declare."""

from __future__ import annotations

from django_celery_beat.schedulers import DatabaseScheduler

from services.kernel.module.registry import periodic


class HouseScheduler(DatabaseScheduler):  # type: ignore[misc]  # it comes without types
    """Celery's scheduler in the database, which also learns what the modules want done."""

    def setup_schedule(self) -> None:
        """Enter what is declared, each time beat starts; entries of staff in the database stay."""
        super().setup_schedule()
        self.update_from_dict(periodic())
