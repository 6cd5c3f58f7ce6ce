"""What of check-ins is signed: the record, what was decided of it, and what its face came to."""

from __future__ import annotations

from typing import Final

from services.crypto.signed_rows import SignedTable

CHECK_IN: Final = SignedTable(
    "checkin",
    "打卡记录",
    "checkins.CheckIn",
    (
        "uid", "key", "visit_id", "act", "at", "device_at", "counts", "manual", "verdict", "certainty", "said", "distance_m",
        "accuracy_m", "hint", "hints", "face", "face_score", "face_number", "device", "via", "worker_id", "organisation_id",
        "region_id", "position_digest",
    ),
)  # fmt: skip
REVIEW: Final = SignedTable(
    "checkin_review", "打卡审核", "checkins.CheckInReview", ("checkin_id", "accepted", "words", "by", "at")
)
LATER: Final = SignedTable(
    "checkin_face", "补做的人脸核验", "checkins.CheckInFace", ("checkin_id", "at", "verdict", "score", "number")
)
SIGNED: Final = (CHECK_IN, REVIEW, LATER)
