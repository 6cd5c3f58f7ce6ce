"""The one place where the engine meets numba: typed decorators for kernels that release the interpreter lock.

Machine code is cached on disk (``NUMBA_CACHE_DIR`` of the process, else beside the source), so only the first start compiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as _numba
from numba.core import config as numba_config

Function = TypeVar("Function", bound=Callable[..., Any])
config: Any = numba_config
numba: Any = _numba


def _separate_cache_by_source() -> None:
    """Give each state of this package's source a cache folder of its own.

    numba notices a change only in the file of the kernel itself, not in the functions it calls from other files: after an
    upgrade it would go on running the old machine code.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.glob("*.py")):
        digest.update(file.read_bytes())
    config.CACHE_DIR = str(Path(config.CACHE_DIR or package / "__pycache__") / f"routing-{digest.hexdigest()[:12]}")


_separate_cache_by_source()


def kernel(function: Function) -> Function:
    """Compile a function to machine code that runs without the interpreter lock.

    Kernels allocate nothing, so numba's reference counting is off: it took most of the time in small loops.
    """
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))


def inlined(function: Function) -> Function:
    """Compile a small function that is pasted into the kernels that call it."""
    return cast(Function, numba.njit(inline="always", nogil=True, error_model="numpy", _nrt=False)(function))
