"""Arrays in one column of the database and back. Pure."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt


def packed(**arrays: npt.NDArray[Any]) -> bytes:
    """Return arrays as bytes, compressed."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]  # its stub takes the names for its own
    return out.getvalue()


def unpacked(kept: bytes | memoryview) -> dict[str, npt.NDArray[Any]]:
    """Return arrays by name; nothing but numbers is read."""
    with np.load(io.BytesIO(bytes(kept)), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
