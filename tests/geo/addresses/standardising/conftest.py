"""Lists as files, for tests of uploading them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.city import generate
from fixtures.city.misspelling import misspell
from geo.addresses.standardising.actions import upload_list
from geo.addresses.standardising.models import Batch
from geo.scope import Scope

CLERK = Scope(actor="clerk")


@pytest.fixture
def uploaded(tmp_path: Path) -> Callable[..., Batch]:
    """Return a function that uploads lines of CSV as a list of a caller."""

    def upload(lines: list[str], scope: Scope = CLERK, name: str = "名单.csv") -> Batch:
        source = tmp_path / name
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return upload_list(source=source, name=name, scope=scope)

    return upload


def messy_lines(count: int) -> list[str]:
    """Return a header and so many rows of a list with dirt: number, address, remark; some of them blank or nonsense."""
    table = generate("tiny", 2025).addresses
    texts = [text.replace(",", "，") for _, text, _ in misspell(table, seed=11, count=count, keeping_meaning=False)]
    for at in range(7, count, 97):
        texts[at] = ("", "😀", "无此名路5号 13800138000", "江苏省苏州市云杉路5号")[at % 4]
    return ["序号,户籍地址,备注", *(f"{number},{text},第{number}" for number, text in enumerate(texts, start=1))]
