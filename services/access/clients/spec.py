"""What a package declares to let platforms of others call it: operations, in its ``client_operations.py``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Parameter = Literal["region", "organisation"]
PARAMETERS: Final[dict[Parameter, str]] = {"region": "区域代码", "organisation": "统一社会信用代码"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a platform may do.

    ``required`` and ``optional`` are the parameters that the white list of a client speaks of: each that is given must equal one
    listed for the client. ``free`` are the other parameters of the address; anything else there is refused. ``duties`` are what
    the call may do, over the region and organisation it named, and nothing else.
    """

    key: str
    title: str
    method: str
    route: str
    required: tuple[Parameter, ...]
    duties: tuple[str, ...]
    optional: tuple[Parameter, ...] = ()
    free: tuple[str, ...] = ()
