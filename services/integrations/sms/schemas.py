"""The contract with the gateway, as both sides speak it: JSON over HTTP, every request signed (services.integrations.signing).

* ``POST /sms/v1/messages`` sends one text to some phones. ``message_id`` is ours: the same one again sends nothing, and gets the
  first answer again. ``send_at`` leaves the moment to the gateway.
* ``POST /sms/v1/receipts`` reads the receipts after a cursor, oldest first. Nothing is forgotten by reading.
* The gateway posts receipts to an address of ours too, each until it is answered 200.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SEND_PATH: Final = "/sms/v1/messages"
RECEIPTS_PATH: Final = "/sms/v1/receipts"
MOST_PHONES: Final = 200
LONGEST_CONTENT: Final = 500
Phone = Annotated[str, Field(pattern=r"^1[3-9]\d{9}$")]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w\-.:]+$")]


class Strict(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Send(Strict):
    """One text to some phones."""

    message_id: Identifier
    phones: Annotated[list[Phone], Field(min_length=1, max_length=MOST_PHONES)]
    content: Annotated[str, Field(min_length=1, max_length=LONGEST_CONTENT)]
    send_at: AwareDatetime | None = None


class Code(StrEnum):
    """What the gateway says of a request or of one phone."""

    ACCEPTED = "accepted"
    BAD_NUMBER = "bad_number"
    BLOCKED = "blocked"
    BAD_CONTENT = "bad_content"
    BUSY = "busy"
    NO_CREDIT = "no_credit"
    NOT_SIGNED = "not_signed"


AGAIN: Final = frozenset({Code.BUSY, Code.NO_CREDIT, Code.NOT_SIGNED})
"""The codes after which the same message may be tried again; the others are final."""


class Taken(Strict):
    """What became of one phone: accepted under the gateway's id, or why not."""

    phone: Phone
    code: Code
    provider_id: Identifier | None = None


class Sent(Strict):
    """The answer to ``Send``."""

    code: Code
    items: list[Taken] = []


class ReceiptState(StrEnum):
    """How a message ended at the phone."""

    DELIVERED = "delivered"
    FAILED = "failed"


class Receipt(Strict):
    """What the network says of one message to one phone."""

    provider_id: Identifier
    message_id: Identifier
    phone: Phone
    state: ReceiptState
    code: Annotated[str, Field(max_length=40)] = ""
    at: AwareDatetime


class Pull(Strict):
    """A question for the receipts after a cursor ('' for all)."""

    after: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class Pulled(Strict):
    """The receipts, and the cursor to ask from next time."""

    receipts: list[Receipt]
    cursor: Annotated[str, Field(max_length=64)]


class Posted(Strict):
    """What the gateway posts to us."""

    receipts: Annotated[list[Receipt], Field(max_length=1000)]


def moment(at: dt.datetime) -> str:
    """Return a moment as the contract writes it: ISO 8601 with its offset."""
    return at.isoformat(timespec="seconds")
