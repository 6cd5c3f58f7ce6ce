"""The contract with a source of cases, as both sides speak it: JSON over HTTP, every request signed.

``POST /progress/v1/feedback`` tells one piece of progress. ``feedback_id`` is ours: the same one again changes nothing, and gets
the first answer again. Of one case the pieces come in their order, and the last one says the result.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FEEDBACK_PATH: Final = "/progress/v1/feedback"


class Plain(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ProgressState(StrEnum):
    """How far a case is."""

    ACCEPTED = "accepted"
    HANDLING = "handling"
    SUPPLEMENT = "supplement"
    SUSPENDED = "suspended"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class Progress(Plain):
    """One piece of progress: of which case (our number, and theirs where they gave one), what happened, what is needed."""

    feedback_id: Annotated[str, Field(min_length=1, max_length=64)]
    number: Annotated[str, Field(min_length=1, max_length=40)]
    source_number: Annotated[str, Field(max_length=64)] = ""
    matter: Annotated[str, Field(min_length=1, max_length=60)]
    state: ProgressState
    what: Annotated[str, Field(min_length=1, max_length=200)]
    opinion: Annotated[str, Field(max_length=2_000)] = ""
    needed: Annotated[list[str], Field(max_length=50)] = []
    at: AwareDatetime


class Code(StrEnum):
    """What the source says of a piece of progress."""

    TAKEN = "taken"
    UNKNOWN_CASE = "unknown_case"
    BAD_CONTENT = "bad_content"
    BUSY = "busy"
    NOT_SIGNED = "not_signed"


FINAL: Final = frozenset({Code.UNKNOWN_CASE, Code.BAD_CONTENT})
"""The refusals that will never become anything else."""


class Answer(Plain):
    """The answer to a piece of progress."""

    code: Code
