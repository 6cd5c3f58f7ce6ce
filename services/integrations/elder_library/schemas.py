"""The contract with the library, as both sides speak it: JSON over HTTP, every request signed (services.integrations.signing).

``POST /elders/v1/figures`` reads the figures of all streets and committees of one day, page after page. Every page names the day
and how many figures the day has; when the day changes between two pages, one begins again.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

FIGURES_PATH: Final = "/elders/v1/figures"
MOST_ON_A_PAGE: Final = 1_000
Count = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]


class Plain(BaseModel):
    """What is not in the contract is not understood."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Asked(Plain):
    """A question for the figures after a cursor ('' from the beginning)."""

    after: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)] = 500


class Figure(Plain):
    """The elders of one street (code of 9 digits) or committee (12): from 60, of these from 80, of these living alone."""

    region_code: Annotated[str, Field(pattern=r"^(\d{9}|\d{12})$")]
    over_60: Count
    over_80: Count
    alone: Count

    @model_validator(mode="after")
    def part_of_all(self) -> Figure:
        """Refuse parts greater than the whole."""
        if self.over_80 > self.over_60 or self.alone > self.over_60:
            raise ValueError("parts greater than the whole")
        return self


class Figures(Plain):
    """One page: the day, how many figures it has in all, some of them, and the cursor of the next page ('' after the last)."""

    as_of: dt.date
    total: Annotated[int, Field(ge=0, le=100_000)]
    items: Annotated[list[Figure], Field(max_length=MOST_ON_A_PAGE)]
    cursor: Annotated[str, Field(max_length=64)]
