"""Who may see what, as a value: the one argument that every query takes.

Lower layers never learn of users. ``services.access`` builds a scope once per request; ``Scope.public()`` and
``Scope.system()`` are the only other constructors, the latter audited.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)
Auditor = Callable[[str], object]
_AUDITORS: list[Auditor] = []


def audits_system_scopes(auditor: Auditor) -> Auditor:
    """Register who is told the reason of every system scope, before the scope exists: an auditor that fails prevents it."""
    if auditor not in _AUDITORS:
        _AUDITORS.append(auditor)
    return auditor


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows are visible when their region lies under a path, or their organisation or subject is listed.

    ``paths`` are region paths such as ``"310000.310101."``: a path covers everything that begins with it, ``""`` covers
    all. ``organisations`` and ``persons`` are ids; ``duties`` are acts the holder may perform, such as
    ``"facilities.edit"``; ``actor`` names the holder in history and audit.
    """

    paths: tuple[str, ...] = ()
    organisations: frozenset[int] = field(default_factory=frozenset)
    persons: frozenset[int] = field(default_factory=frozenset)
    duties: frozenset[str] = field(default_factory=frozenset)
    actor: str = "public"
    reason: str = ""

    @classmethod
    def public(cls) -> Scope:
        """Return the scope of someone unknown: only what is published for everyone."""
        return cls()

    @classmethod
    def system(cls, reason: str) -> Scope:
        """Return the scope of the platform itself, which sees all; ``reason`` goes to the audit log.

        Every call is one entry, so take one scope for a whole task or command and hand it on. Raises ``ValueError`` without a
        reason.
        """
        if not reason.strip():
            raise ValueError("a system scope must say why")
        for auditor in _AUDITORS:
            auditor(reason)
        log.info("system scope", extra={"reason": reason})
        return cls(paths=("",), duties=frozenset({"*"}), actor="system", reason=reason)

    def covers_path(self, path: str) -> bool:
        """Say whether a region path lies under one of the scope's paths."""
        return any(path.startswith(own) for own in self.paths)

    @property
    def whole_city(self) -> bool:
        """Say whether the scope covers the whole city: what lies in no region is for those only, besides its owner."""
        return any(path.count(".") <= 1 for path in self.paths)

    def holds(self, duty: str) -> bool:
        """Say whether the scope holds a duty."""
        return duty in self.duties or "*" in self.duties
