"""Values that are known already: where they come from, declared by name; how they are brought to a form; what people are told.

A source is a function of who is asking. It answers with values by name and since when they hold; a value that does not fit
the field, or that the form does not ask, is left out. A person registry, once one is connected, is one more source.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom values are looked up: the account, the form and its region; never a name somebody typed."""

    account_id: int
    form: str
    entry: str
    region_id: int


@dataclass(frozen=True, slots=True)
class Value:
    """A known value, as a page or a program would send it, and since when it is known."""

    value: Any
    as_of: dt.datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Where values come from: its key, the name people are told, and how it is asked. One that fails gives nothing."""

    key: str
    title: str
    fetch: Callable[[Asker], Mapping[str, Value]]
