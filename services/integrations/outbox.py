"""What a system of others is told: kept in the transaction of the act, sent afterwards until they take it.

A piece is claimed in a transaction of its own, told outside of any, and closed in a third. Who dies in between leaves a claim
that runs out; the piece is told again under the same key, under which they take it once.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from celery import current_app
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from pydantic import ValidationError

from geo.errors import Unavailable
from services.integrations.faults import RESTING

log = logging.getLogger(__name__)
WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"
TAKEN: Final = "taken"
BAD_CONTENT: Final = "bad_content"
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480))
MOST_ATTEMPTS: Final = len(PAUSES) + 1
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Outbox:
    """Pieces of one kind on their way: ``rows`` their model, ``task`` the job that sends what is due.

    A row has ``state`` (``waiting``, ``sent``, ``given_up``; others are left alone), ``attempts``, ``code`` (why it did not go
    through, '' while it is on its way), ``next_at`` and ``ended_at``. ``tell`` tells one and returns their code: ``taken``, one
    of the ``final`` that will never become anything else, or one that may. It raises ``Unavailable``, and ``ValidationError``
    for what can never be told. Of rows that share ``line`` (a field) a later one waits for the earlier. ``claim`` is longer
    than any ``tell`` may take.
    """

    rows: type[models.Model]
    task: str
    tell: Callable[[Any], str]
    final: Collection[str]
    line: str = ""
    claim: dt.timedelta = dt.timedelta(minutes=2)

    def wake(self) -> None:
        """Let what is due be sent soon after the transaction; without a queue it waits for the clock."""
        transaction.on_commit(lambda: current_app.send_task(self.task), robust=True)

    def deliver(self, due: Q | None = None, *, most: int = AT_ONCE) -> int:
        """Tell what is due, the longest due first, and of that what ``due`` says; return how many are sent or given up."""
        done = 0
        for _ in range(most):
            row = self._claimed(due or Q())
            if row is None:
                break
            done += self._told(row)
        return done

    def send_again(self, rows: QuerySet[Any]) -> int:
        """Let what was given up of these be tried anew, with all its attempts; return how much that is."""
        given_up = rows.filter(state=GIVEN_UP)
        again = given_up.update(state=WAITING, attempts=0, code="", next_at=timezone.now(), ended_at=None)
        if again:
            self.wake()
        return again

    @transaction.atomic
    def _claimed(self, due: Q) -> Any:
        now = timezone.now()
        waiting = self.rows._default_manager.filter(state=WAITING)
        rows = waiting.select_for_update(skip_locked=True, of=("self",)).filter(due, next_at__lte=now)
        if self.line:
            earlier = waiting.filter(id__lt=OuterRef("id"), **{self.line: OuterRef(self.line)})
            rows = rows.filter(~Exists(earlier))
        row: Any = rows.order_by("next_at", "id").first()
        if row is not None:
            row.attempts, row.code, row.next_at = row.attempts + 1, "", now + self.claim
            row.save(update_fields=["attempts", "code", "next_at"])
        return row

    def _told(self, row: Any) -> int:
        """Tell one piece, and write down what came of it; 1 when it is over."""
        try:
            code = self.tell(row)
        except ValidationError:  # nothing was sent, and nothing of it ever will be
            return self._close(row, GIVEN_UP, BAD_CONTENT)
        except Unavailable as fault:
            return self._later(row, fault.code)
        if code == TAKEN:
            return self._close(row, SENT, "")
        return self._close(row, GIVEN_UP, code) if code in self.final else self._later(row, code)

    def _later(self, row: Any, code: str) -> int:
        if code == RESTING:  # not even tried: the system is left alone for a while, and this is no attempt
            self._held(row).update(attempts=row.attempts - 1, code=code, next_at=timezone.now() + PAUSES[0])
            return 0
        if row.attempts >= MOST_ATTEMPTS:
            return self._close(row, GIVEN_UP, code)
        self._held(row).update(next_at=timezone.now() + PAUSES[row.attempts - 1], code=code[:40])
        return 0

    def _close(self, row: Any, state: str, code: str) -> int:
        if state == GIVEN_UP:
            log.error("given up telling", extra={"what": row._meta.label, "row": str(row.pk), "code": code})
        return self._held(row).update(state=state, code=code[:40], ended_at=timezone.now())

    def _held(self, row: Any) -> QuerySet[Any]:
        """Return a claimed row while the claim is this attempt's: after a long silence another worker may have taken it."""
        return self.rows._default_manager.filter(pk=row.pk, state=WAITING, attempts=row.attempts)
