"""The files that came for datasets, as they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import transaction

from geo.kept import KeptFolder


def _files() -> Iterator[str]:
    rows = apps.get_model("datasets", "DatasetImport")._default_manager.only("pk")
    return (file_of(one).name for one in rows.iterator())


FOLDER = KeptFolder("datasets", "自建图层导入文件", _files)


def file_of(one: Any) -> Path:
    """Return where the file of an import lies, sealed."""
    return FOLDER.path / f"{one.pk}.bin"


def let_go(instance: Any, **_: Any) -> None:
    """Delete the file of an import that is gone, once that is sure."""
    transaction.on_commit(partial(file_of(instance).unlink, missing_ok=True))
