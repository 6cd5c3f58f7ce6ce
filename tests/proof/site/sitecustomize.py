"""Loaded by every Python that a broken test starts: breaks the code named in QUANTU_BREAK_VIA once it is imported.

It watches imports instead of importing, because code of the application cannot be loaded before Django is set up.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from types import ModuleType

VIA = os.environ.get("QUANTU_BREAK_VIA", "")


class _Loader(importlib.abc.Loader):
    def __init__(self, inner: importlib.abc.Loader) -> None:
        self.inner = inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.inner.exec_module(module)
        owner: object = module
        *outer, name = VIA.partition(":")[2].split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, name, _refuse)


def _refuse(*_: object, **__: object) -> None:
    raise RuntimeError(f"{VIA} is broken on purpose")


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name != VIA.partition(":")[0]:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if VIA:
    sys.meta_path.insert(0, _Finder())
