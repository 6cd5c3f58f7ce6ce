"""Django's entry for visits and check-ins."""

from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_delete


class CheckInsConfig(AppConfig):
    name = "services.fencing.checkins"
    label = "checkins"
    verbose_name = "上门打卡"

    def ready(self) -> None:
        from services.crypto.signed_rows import watch_signed_rows
        from services.fencing.checkins.photos import forget_file
        from services.fencing.checkins.signed import SIGNED

        for table in SIGNED:
            watch_signed_rows(table)

        def gone(instance: Any, **_: Any) -> None:
            transaction.on_commit(lambda: forget_file(instance.file))

        post_delete.connect(gone, sender=self.get_model("CheckInPhoto"), weak=False, dispatch_uid="checkin-photo")
