"""Something that owns files, and people who may keep them, look at them, or do neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from geo.errors import NotFound
from geo.scope import Scope
from services.kernel.documents import registry
from services.kernel.documents.spec import (
    IMAGES,
    MEGABYTE,
    FileType,
    Owner,
    OwnerKind,
    Purpose,
)

KEEPER = Scope(paths=("310000.310101.",), duties=frozenset({"things.edit", "things.view"}), actor="keeper")
READER = Scope(paths=("310000.310101.",), duties=frozenset({"things.view"}), actor="reader")
STRANGER = Scope(paths=("310000.310110.",), duties=frozenset({"things.edit", "things.view"}), actor="stranger")


def find_thing(owner_id: str, scope: Scope) -> Owner:
    """Things called secret lie in 黄浦 and are seen there only; all others are public."""
    own = scope.covers_path("310000.310101.")
    if owner_id.startswith("secret") and not own:
        raise NotFound("thing_unknown", "没有找到。")
    staff = own and scope.holds("things.view")
    return Owner(f"物件 {owner_id}", "/desk", None, staff and scope.holds("things.edit"), staff)


THINGS = OwnerKind(
    key="thing",
    name="物件",
    find=find_thing,
    facts=lambda owner_id, scope: {"名称": f"物件 {owner_id}"},
    most_bytes=MEGABYTE,
    purposes=(
        Purpose("photo", "照片", IMAGES, most_bytes=MEGABYTE, most_files=3, public=True),
        Purpose("paper", "材料", frozenset(FileType), most_bytes=MEGABYTE, sensitive=True),
    ),
)


@pytest.fixture(autouse=True)
def things(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare things as owners of files."""
    monkeypatch.setitem(registry._OWNERS, "thing", THINGS)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a store of its own."""
    folder = tmp_path / "media"
    monkeypatch.setattr(settings, "MEDIA_ROOT", folder)
    return folder


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that puts bytes where an upload waits."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    count = iter(range(1000))

    def put(data: bytes) -> Path:
        path = folder / str(next(count))
        path.write_bytes(data)
        return path

    return put
