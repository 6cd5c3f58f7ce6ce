"""People of the city, of two districts, a clerk and residents; a keystore and a store of files of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geo.scope import Scope
from services.crypto.keystore import make_keystore
from services.kernel.forms.composing import Library
from services.modules.enrolment.forms import CERTIFICATES, DICTIONARIES, FIELDS

_DISTRICT = frozenset({"forms.view", "forms.fill", "forms.configure", "forms.reveal"})
CITY = Scope(paths=("310000.",), duties=_DISTRICT | {"forms.library"}, actor="shi")
HUANGPU = Scope(paths=("310000.310101.",), duties=_DISTRICT, actor="qu")
OTHER = Scope(paths=("310000.310110.",), duties=_DISTRICT, actor="yangpu")
CLERK = Scope(paths=("310000.310101.310101013.",), duties=frozenset({"forms.view", "forms.fill"}), actor="clerk")


def library() -> Library:
    """Return the declared library."""
    return Library(
        {each.key: each for each in FIELDS},
        {each.code: each for each in CERTIFICATES},
        {each.key: each for each in DICTIONARIES},
    )


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, settings: Any) -> None:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SCANNER = ""
