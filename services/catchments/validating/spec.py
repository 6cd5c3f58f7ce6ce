"""What a module declares of forms whose answers make a register, in its ``registers.py`` as ``REGISTERS``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FormRegister:
    """Where an entry of a form says what a register of an entry of catchments holds.

    ``entry`` is the entry of catchments; ``form`` and ``form_entry`` the form, ``where`` answers it must have given (of fields
    that are not sealed). ``address``, ``street`` (a field of a region), ``committee`` and ``community`` name fields: the first of
    ``address`` that is answered counts, '' for what the form does not ask. ``child`` are the fields that tell one child from
    another; they are compared, never taken.
    """

    entry: str
    form: str
    form_entry: str
    address: tuple[str, ...]
    child: tuple[str, ...]
    street: str = ""
    committee: str = ""
    community: str = ""
    where: Mapping[str, object] = field(default_factory=dict)

    def fields(self) -> tuple[str, ...]:
        """Return the fields that are taken."""
        return tuple(key for key in (*self.address, self.street, self.committee, self.community) if key)
