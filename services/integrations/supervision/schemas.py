"""The contract with the platform of supervision, as both sides speak it: JSON over HTTP, every request signed.

``POST /supervision/v1/institutions`` asks for the public facts of institutions by their 统一社会信用代码; one they keep nothing
of is left out of the answer. ``POST /supervision/v1/ratings`` tells how an institution is rated: figures only, of no person.
``report_id`` is ours: the same one again changes nothing, and gets the first answer again.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

FACTS_PATH: Final = "/supervision/v1/institutions"
RATINGS_PATH: Final = "/supervision/v1/ratings"
MOST_AT_ONCE: Final = 100
CODE_FORM: Final = r"^[0-9A-HJ-NPQRTUWXY]{18}$"
CreditCode = Annotated[str, Field(pattern=CODE_FORM)]
Stars = Annotated[float, Field(ge=1, le=5)]


class Plain(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Finding(StrEnum):
    """What an inspection came to."""

    GOOD = "good"
    MEND = "mend"
    BAD = "bad"


class Asked(Plain):
    """Of which institutions the facts are asked."""

    codes: Annotated[list[CreditCode], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Facts(Plain):
    """What the public may know of one institution: its last inspection and finding, 等级, credit; '' where there is none."""

    credit_code: CreditCode
    as_of: dt.date
    inspected_on: dt.date | None = None
    finding: Finding | None = None
    grade: Annotated[str, Field(max_length=20)] = ""
    credit: Annotated[str, Field(max_length=20)] = ""


class Known(Plain):
    """The facts of those institutions that they keep something of."""

    items: Annotated[list[Facts], Field(max_length=MOST_AT_ONCE)]


class Rating(Plain):
    """How an institution is rated by public comments: how many, and from three on their means overall and by aspect."""

    report_id: Annotated[str, Field(min_length=1, max_length=64)]
    credit_code: CreditCode
    as_of: dt.date
    comments: Annotated[int, Field(ge=0, le=1_000_000)]
    mean: Stars | None = None
    aspects: dict[str, Stars] = {}


class Code(StrEnum):
    """What the platform says of a rating."""

    TAKEN = "taken"
    UNKNOWN_INSTITUTION = "unknown_institution"
    BAD_CONTENT = "bad_content"
    BUSY = "busy"
    NOT_SIGNED = "not_signed"


FINAL: Final = frozenset({Code.UNKNOWN_INSTITUTION, Code.BAD_CONTENT})
"""The refusals that will never become anything else."""


class Answer(Plain):
    """The answer to a rating."""

    code: Code
