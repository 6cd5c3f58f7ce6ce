"""The book of kinds as this process holds it: read from the database, looked at again by every request and task.

A request, a task or a new connection lets its thread ask once whether the rows changed (one small query); only then the book is
read anew. So every process follows a change with its next request. Who never touched the database holds what is declared.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from celery.signals import task_prerun
from django.core.signals import request_started
from django.db import connection
from django.db.backends.signals import connection_created

from services.facilities.kinds.book import AS_DECLARED, KindBook, book_of

_MARK: Final = "SELECT count(*), sum(revision), max(changed_at) FROM facilities_facilitykind"
COLUMNS: Final = ("key", "group", "name", "icon", "attributes", "order", "retired_at", "moved_at")


class _Thread(threading.local):
    stale = False


_thread: Final = _Thread()
_held: KindBook = AS_DECLARED


def current_book() -> KindBook:
    """Return the kinds as they stand; within a request or a task they are looked at once."""
    if _thread.stale and not connection.needs_rollback:
        _thread.stale = False
        _look()
        # Looking may have opened the connection, which lets it look again.
        _thread.stale = False
    return _held


def look_again(**_: Any) -> None:
    """Let the next question of this thread ask the database whether the kinds changed."""
    _thread.stale = True


def look_for_more() -> KindBook:
    """Return the kinds after looking at them once more, when something was asked that is not among them."""
    if _held.mark is not None:
        look_again()
    return current_book()


def forget() -> None:
    """Hold what is declared, as a process that has just begun; for tests that roll back."""
    global _held
    _held, _thread.stale = AS_DECLARED, False


def listen() -> None:
    """Let requests, tasks and new connections look again; called once, when the apps are ready."""
    request_started.connect(look_again, dispatch_uid="facilities.kinds")
    connection_created.connect(look_again, dispatch_uid="facilities.kinds")
    task_prerun.connect(look_again, dispatch_uid="facilities.kinds")


def _look() -> None:
    global _held
    from services.facilities.models import FacilityKind  # loaded with the apps, which declare by these kinds

    with connection.cursor() as cursor:
        cursor.execute(_MARK)
        mark = (connection.settings_dict["NAME"], *cursor.fetchone())
    if _held.mark != mark:
        _held = book_of(FacilityKind.objects.order_by().values(*COLUMNS), mark)
