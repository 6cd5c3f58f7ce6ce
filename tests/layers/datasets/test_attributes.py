"""Values of attributes as they are typed and stand in files: what cannot be shown again is not taken."""

from __future__ import annotations

import pytest

from geo.errors import BadInput
from layers.datasets.attributes import DatasetAttribute, guessed_kind, value_of


@pytest.mark.parametrize(
    "said", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2022-01-01T00:00:00+99:99"]
)
def test_a_moment_of_no_year_that_there_is_in_every_zone_is_none(said: str) -> None:
    assert guessed_kind([said]) == "text"
    with pytest.raises(BadInput, match="2026-09-01 08:00"):
        value_of(DatasetAttribute("at", "时刻", "moment"), said)
    assert value_of(DatasetAttribute("at", "时刻", "moment"), "2026-09-01 08:00") == "2026-09-01T08:00:00+08:00"
