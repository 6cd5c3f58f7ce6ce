"""Positions in, events out: each subject under a lock, its track and its events in one transaction.

Whoever dies in between leaves everything as it was before that subject; whoever sends a batch again changes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction
from django.utils import timezone

from geo.errors import TooMany
from geo.fences.drafts import EditionState
from geo.fences.evaluate.positions import Position, Refusal
from geo.fences.evaluate.tracking import Event, EventKind, Track, hear, settle
from geo.fences.models import Fence
from services.access.clients.models import ApiClient
from services.crypto.sealing import seal, unseal
from services.fencing.following.books import Followed, followed_by
from services.fencing.following.models import Feed, FenceEvent, Subject
from services.fencing.following.outbox import queue_events
from services.fencing.following.reading import SAID, Reported, Row
from services.fencing.queries import editions_at

TRACK_FIELD: Final = "fence.track"
LONGEST_TRACK: Final = 90_000
MOST_SUBJECTS: Final = 20_000
TAKEN: Final = "taken"
SILENT: Final = dt.timedelta(seconds=90)
"""A subject unheard for so long is not waited for."""
AT_REST: Final = dt.timedelta(hours=24)
"""A subject unheard for so long is remembered without positions."""
OLDEST: Final = dt.timedelta(days=7)
"""Positions may be reported so late, by a device that was away."""
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a batch: of each row its verdict, and how many events are new."""

    verdicts: Sequence[str]
    events: int

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many rows there are by verdict."""
        return dict(Counter(self.verdicts))


def said_of(verdict: str) -> str:
    """Return a verdict in Chinese, '' for what was taken."""
    return "" if verdict == TAKEN else SAID.get(verdict) or Refusal(verdict).label


def take_positions(*, client: ApiClient, rows: Sequence[Row], now: dt.datetime | None = None) -> Told:
    """Take the positions of a batch into account, in the order in which they stand there, a subject after the other."""
    at = now or timezone.now()
    verdicts = ["" if isinstance(row, Reported) else row.code for row in rows]
    of_subject: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if isinstance(row, Reported):
            of_subject.setdefault(row.subject, []).append(number)
    followed, events = followed_by(client), 0
    for ref, numbers in of_subject.items():
        positions = [row.position for number in numbers if isinstance(row := rows[number], Reported)]
        refusals, found = _take(client, ref, positions, followed, at)
        events += found
        for number, refusal in zip(numbers, refusals, strict=True):
            verdicts[number] = TAKEN if refusal is None else refusal.value
    return Told(verdicts, events)


@transaction.atomic
def _take(
    client: ApiClient, ref: str, positions: Sequence[Position], followed: Followed, at: dt.datetime
) -> tuple[list[Refusal | None], int]:
    subject = _locked(client, ref, at)
    track, closed = _closed(_track_of(subject), followed)
    heard = hear(track, positions, followed.book)
    subject.heard_at, subject.at_rest = max(subject.heard_at, at), False
    _keep(subject, heard.track)
    return heard.refusals, _tell(subject, [*closed, *heard.events], followed)


def settle_silent(*, now: dt.datetime | None = None, most: int = AT_ONCE) -> int:
    """Take into account what waits of subjects that fell silent, and return how many subjects that was."""
    due = Subject.objects.filter(waits=True, heard_at__lt=(now or timezone.now()) - SILENT)
    return sum(_settle(uid) for uid in list(due.order_by("heard_at").values_list("uid", flat=True)[:most]))


@transaction.atomic
def _settle(uid: UUID) -> bool:
    subject = _free(uid)
    if subject is None or not subject.waits:
        return False
    followed = followed_by(subject.client)
    track, closed = _closed(_track_of(subject), followed)
    track, events = settle(track, followed.book)
    _keep(subject, track)
    _tell(subject, [*closed, *events], followed)
    return True


def put_to_rest(*, now: dt.datetime | None = None, most: int = AT_ONCE) -> int:
    """Forget the positions of subjects unheard for a day, and return how many subjects that was."""
    due = Subject.objects.filter(at_rest=False, waits=False, heard_at__lt=(now or timezone.now()) - AT_REST)
    return sum(_rest(uid) for uid in list(due.order_by("heard_at").values_list("uid", flat=True)[:most]))


@transaction.atomic
def _rest(uid: UUID) -> bool:
    subject = _free(uid)
    if subject is None or subject.waits or subject.at_rest:
        return False
    subject.at_rest = True
    _keep(subject, _track_of(subject).without_positions())
    return True


def _free(uid: UUID) -> Subject | None:
    """Return a subject, locked; ``None`` for one that is being heard at this moment."""
    rows = Subject.objects.select_for_update(skip_locked=True, of=("self",)).select_related("client")
    return rows.filter(pk=uid).first()


def _locked(client: ApiClient, ref: str, at: dt.datetime) -> Subject:
    """Return a subject, locked; a new one is made. Raises ``TooMany`` beyond ``MOST_SUBJECTS``."""
    own = Subject.objects.select_for_update().filter(client=client)
    found = own.filter(ref=ref).first()
    if found is not None:
        return found
    if Subject.objects.filter(client=client).count() >= MOST_SUBJECTS:
        said = f"最多同时跟踪 {MOST_SUBJECTS:,} 个对象，请停报不用的对象，或联系接口管理员。"
        raise TooMany("subjects_many", said, retry_after=3600, most=MOST_SUBJECTS)
    return own.get_or_create(client=client, ref=ref, defaults={"heard_at": at})[0]


def _track_of(subject: Subject) -> Track:
    if not subject.track:
        return Track()
    return Track.from_json(json.loads(unseal(subject.track, field=TRACK_FIELD, owner=subject.uid)))


def _keep(subject: Subject, track: Track) -> None:
    text = json.dumps(track.as_json(), separators=(",", ":"))
    subject.track = seal(text, field=TRACK_FIELD, owner=subject.uid, longest=LONGEST_TRACK)
    subject.waits, subject.left_out = bool(track.waiting), dict(track.counts)
    subject.save(update_fields=["track", "waits", "left_out", "heard_at", "at_rest"])


# Fences that a new edition does without


def _closed(track: Track, followed: Followed) -> tuple[Track, list[Event]]:
    """Leave the fences that no edition holds any more: one inside such a fence has left it, by inference, when it ceased."""
    gone = {fence for fence in track.stays if fence not in followed.book.rows}
    if not gone:
        return track, []
    inside = {UUID(fence) for fence in gone if track.stays[fence].side.inside}
    ended = _ended(inside, followed)
    events = []
    for fence in sorted(gone):
        since = track.stays[fence].entered_ms
        if (ended_ms := ended.get(UUID(fence))) is not None:
            before = track.last.time_ms if track.last else None
            events.append(Event(fence, EventKind.EXIT, max(ended_ms, since + 1), before, inferred=True))
    stays = {fence: stay for fence, stay in track.stays.items() if fence not in gone}
    return dataclasses.replace(track, stays=stays), events


def _ended(fences: Iterable[UUID], followed: Followed) -> dict[UUID, int]:
    """Return when fences ceased that are followed still: the moment of the edition that does without them."""
    held = {fence.same for fence in followed.live.fences}
    rows = _last_known(set(fences) - held)
    now = {(each.purpose, each.district_id): each for each in editions_at()}
    found = {}
    for same, fence in rows.items():
        place = (fence.edition.purpose, fence.edition.district_id)
        following, current = followed.followings.get(place), now.get(place)
        if following is not None and following.exit and current is not None and current.from_moment is not None:
            found[same] = round(current.from_moment.timestamp() * 1000)
    return found


def _last_known(fences: Iterable[UUID]) -> dict[UUID, Fence]:
    """Return fences as the last published edition had them that held them."""
    rows = Fence.objects.filter(same__in=list(fences), edition__state=EditionState.PUBLISHED).select_related("edition")
    return {row.same: row for row in rows.order_by("edition__number")}


# Events


def _tell(subject: Subject, events: Sequence[Event], followed: Followed) -> int:
    """Write the events of a subject that are not written yet into its platform's line, and into the outbox of its receiver."""
    if not events:
        return 0
    known = set(
        FenceEvent.objects.filter(
            subject=subject, sequence__in=[each.sequence for each in events]
        ).values_list("fence", "sequence")
    )  # fmt: skip
    new = [each for each in events if (UUID(each.fence), each.sequence) not in known]
    if not new:
        return 0
    lost = _last_known(UUID(each.fence) for each in new if each.fence not in followed.fences)
    Feed.objects.get_or_create(client_id=subject.client_id)
    feed = Feed.objects.select_for_update().get(client_id=subject.client_id)
    rows = [_row(subject, each, followed, lost, feed.last + n) for n, each in enumerate(new, start=1)]
    feed.last += len(rows)
    feed.save(update_fields=["last"])
    FenceEvent.objects.bulk_create(rows)
    queue_events(rows)
    return len(rows)


def _row(
    subject: Subject, event: Event, followed: Followed, lost: Mapping[UUID, Fence], number: int
) -> FenceEvent:  # fmt: skip
    same = UUID(event.fence)
    live = followed.fences.get(event.fence)
    if live is not None:
        name, purpose, district, edition = live.name, live.purpose, live.district_id, live.number
    else:
        fence = lost[same]
        name, purpose, district, edition = (
            fence.name,
            fence.edition.purpose,
            fence.edition.district_id,
            fence.edition.number,
        )
    return FenceEvent(
        id=uuid5(NAMESPACE_URL, f"quantu:fence-event:{subject.client_id}:{subject.ref}:{same}:{event.sequence}"),
        client_id=subject.client_id, number=number, subject=subject, fence=same, fence_name=name, purpose=purpose,
        district_id=district, edition=edition, kind=event.kind.value, at=_moment(event.at_ms),
        after=None if event.after_ms is None else _moment(event.after_ms), inferred=event.inferred,
        sequence=event.sequence,
    )  # fmt: skip


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
