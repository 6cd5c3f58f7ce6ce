from __future__ import annotations

import pytest

from tiles import encoding


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    encoding.warm_up()
