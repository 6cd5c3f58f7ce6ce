"""Writes of recommending: the city's switch, what an account states, traces of those who agreed, forgetting all of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from geo.errors import Conflict
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.models import User
from services.access.personal.models import Consent
from services.access.queries import check_city_duty
from services.crypto.actions import drop_secrets, keep_secrets
from services.modules.finder.recommending.models import RecommendingSwitch, ShownCount, Taste, Trace, TraceAct
from services.modules.finder.recommending.people import PURPOSE, Person
from services.modules.finder.recommending.queries import SEALED, consent_of, name_of, pseudonyms, stated
from services.modules.finder.recommending.wishes import Wishes

MOST_SHOWN: Final = 50
STALE: Final = "您在别的页面改过这些内容，这里显示的已不是最新。请看过最新的内容再改一次。"


@transaction.atomic
def turn_recommending(*, on: bool, scope: Scope) -> RecommendingSwitch:
    """Turn recommending on or off for the whole city, at once; doing it twice changes nothing.

    Needs ``settings.write`` over the city. Turned off nothing is recommended and nothing noted; what people state stays.
    """
    check_city_duty(scope, "settings.write")
    made = {"on": on, "changed_by": scope.actor, "changed_at": timezone.now()}
    row, created = RecommendingSwitch.objects.select_for_update().get_or_create(city=current_city().key, defaults=made)
    if not created and row.on != on:
        row.on, row.changed_by, row.changed_at = on, scope.actor, timezone.now()
        with pghistory.context(actor=scope.actor):
            row.save()
    return row


@transaction.atomic
def keep_wishes(*, user: User, side: str, wishes: Wishes, seen: int) -> Taste:
    """Keep what an account states for one side, sealed; ``seen`` is the revision it was changed from.

    Raises ``Conflict`` where it was changed meanwhile, and where the account does not agree (any more).
    """
    User.objects.select_for_update().get(pk=user.pk)
    if consent_of(user) is None:
        raise Conflict("consent_missing", "您还没有开启为您推荐，或者刚刚关闭了。请先看过说明，点“同意并开启”。")
    row, _ = Taste.objects.get_or_create(user=user)
    if row.revision != seen:
        raise Conflict("wishes_changed", STALE)
    held = stated(row) | {side: wishes}
    data = {key: said for key, each in held.items() if (said := each.as_data())}
    text = json.dumps(data, ensure_ascii=False) if data else ""
    keep_secrets(owner=row.uid, values={SEALED: text}, found_by={SEALED: ""})
    row.revision += 1
    row.save()
    return row


@transaction.atomic
def forget_account(user: User) -> int:
    """Forget all that recommending keeps of an account, at once, and return how many rows went."""
    count = 0
    for row in Taste.objects.select_for_update().filter(user=user):
        count += 1
        drop_secrets(owner=row.uid)
        row.delete()
    for pk in Consent.objects.filter(user=user, purpose=PURPOSE).values_list("pk", flat=True):
        count += _forget_traces(name_of(pk))
    return count


def forget_device(device: UUID) -> int:
    """Forget what a device was shown and did, at once, and return how many rows went."""
    return _forget_traces(str(device))


def _forget_traces(name: str) -> int:
    return int(Trace.objects.filter(who__in=pseudonyms(name)).delete()[0])


@transaction.atomic
def note_trace(
    person: Person,
    act: TraceAct,
    *,
    place_id: int | None = None,
    shown: Sequence[int] = (),
    recommended: Sequence[int] = (),
    filters: Iterable[str] = (),
    now: dt.datetime | None = None,
) -> None:
    """Keep that a page was shown to somebody who agreed, or what he did there: by the hour, and nothing of where he is."""
    if person.consent is not None and not _still_agrees(person.consent):
        return
    hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    Trace.objects.create(
        who=person.who,
        hour=hour,
        act=act,
        place_id=place_id,
        shown=list(shown)[:MOST_SHOWN],
        recommended=list(recommended)[:MOST_SHOWN],
        filters=[one[:60] for one in dict.fromkeys(filters)],
    )


def _still_agrees(consent: int) -> bool:
    """Say whether a consent holds, and hold it: whoever takes it back waits, and then deletes this trace, too."""
    rows = Consent.objects.select_for_update(no_key=True).filter(pk=consent, withdrawn_at=None)
    return rows.first() is not None


def want_again(person: Person, *, place_id: int) -> None:
    """Let a place be recommended again that somebody did not want."""
    Trace.objects.filter(who__in=person.known_as, act=TraceAct.DISMISS, place=place_id).delete()


def count_shown(ids: Sequence[int], *, day: dt.date | None = None) -> None:
    """Count that places were recommended to somebody; of whom is not kept."""
    if not ids:
        return
    with connection.cursor() as cursor:
        # Always in one order: two requests at once must not wait for each other.
        cursor.execute(
            f"""INSERT INTO {ShownCount._meta.db_table} (place_id, day, count)
                SELECT unnest(%s::bigint[]), %s, 1
                ON CONFLICT (place_id, day) DO UPDATE SET count = {ShownCount._meta.db_table}.count + 1""",
            [sorted(set(ids)), day or timezone.localdate()],
        )
