"""What a package declares of its paths whose data travels sealed, in its ``sealed_paths.py`` as ``SEALED_PATHS``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Matter(StrEnum):
    """The kinds of important data, as those who ask for their protection call them."""

    FILLING = "信息填报"
    SUPERVISION = "事中监督"
    STATISTICS = "统计分析"
    OTHER = "其他重要数据"


class Channel(StrEnum):
    """How a request came: from a device that signed in by certificate, from another browser, from a program with a key."""

    CONTAINER = "container"
    WEB = "web"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class SealedPaths:
    """Paths below some roots, such as ``/forms``, whose data is important; the longest root that fits a path decides.

    On the channels that the house names (``QUANTU_SEALED_CHANNELS``) they are answered in a sealed session only; on all others
    they may be. Where a path belongs to a part that others address by a key, ``*`` stands for one piece of it.
    """

    key: str
    title: str
    matter: Matter
    roots: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a root that is none."""
        if not self.roots or any(not re.fullmatch(r"(/[\w\-.*]+)+", root) for root in self.roots):
            raise ValueError(f"{self.key}: roots are paths such as /forms or /desk/ledgers/*/export")

    def reach(self, path: str) -> int:
        """Return how many pieces of a path its longest root here has, 0 where none fits."""
        pieces = path.rstrip("/").split("/")
        return max((len(root) for each in self.roots if _fits(root := each.split("/"), pieces)), default=0)


def _fits(root: list[str], pieces: list[str]) -> bool:
    return len(pieces) >= len(root) and all(one in ("*", other) for one, other in zip(root, pieces, strict=False))
