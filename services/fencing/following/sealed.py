"""What rotation of keys must seal anew of subjects that move: their tracks, and the secrets of receivers."""

from __future__ import annotations

from services.crypto.rotation import Renewal, SealedTable, renew_columns
from services.fencing.following.intake import TRACK_FIELD
from services.fencing.following.models import Receiver, Subject
from services.fencing.following.queries import SECRET_FIELD


def _renew_track(row: Subject, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.uid, texts={"track": TRACK_FIELD})


def _renew_secret(row: Receiver, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.uid, texts={"secret": SECRET_FIELD})


SEALED = (
    SealedTable("fencing_following.Subject", "移动对象", ("track",), lambda row: (row.track,), _renew_track),
    SealedTable("fencing_following.Receiver", "回调密钥", ("secret",), lambda row: (row.secret,), _renew_secret),
)
