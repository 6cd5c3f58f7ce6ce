"""What a package declares when it offers a process: frozen values in its ``map_processes.py``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from geo.scope import Scope

Mode = Literal["sync", "async"]
RESULT: Final = "result"
"""The name of the one output that every process has."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something a process is told: its Chinese title, the JSON Schema of its value, and whether it may be left out."""

    title: str
    schema: Mapping[str, Any]
    help: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be done, known before it begins: its Chinese title, the layer whose rows go in, roughly how many, and the
    ``others`` whose rows go in too.
    """

    title: str
    layer: str = ""
    rows: int = 0
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A run on its way: inputs that hold, whose rows may be seen, where files may lie meanwhile, and whom to tell.

    ``step`` is told the share done (0 to 1) and a Chinese sentence; it raises when the run is to stop.
    """

    inputs: Mapping[str, Any]
    scope: Scope
    folder: Path
    step: Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What came out: a file below the folder of ``Asked``, its name for people, its media type and rows; ``about`` tells more."""

    path: Path
    name: str
    media_type: str
    rows: int
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process.

    ``plan`` reads inputs that hold their schemas and raises a named error for what cannot be meant or may not be seen; ``run``
    does it. The first of ``modes`` is meant when the caller says nothing; at once only what is small is done. Only who holds
    ``duty`` knows of a process that has one.
    """

    key: str
    title: str
    summary: str
    inputs: Mapping[str, Input]
    result: Input
    plan: Callable[[Mapping[str, Any], Scope], Plan]
    run: Callable[[Asked], Made]
    modes: tuple[Mode, ...] = ("async",)
    keywords: tuple[str, ...] = ()
    duty: str = ""
    version: str = "1.0.0"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of all inputs together."""
        return {
            "type": "object",
            "properties": {name: dict(one.schema) for name, one in self.inputs.items()},
            "required": [name for name, one in self.inputs.items() if one.required],
            "additionalProperties": False,
        }
