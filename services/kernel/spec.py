"""What a package declares to have its rows kept by the kernel: frozen values in its ``ledgers.py``. Pure.

The words follow the ORM: a key is a field of the model, one behind a relation (``kind__name``) or one entry of an object
(``attributes__beds``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ColumnKind = Literal["text", "integer", "number", "flag", "choice", "day", "moment"]
Choices = tuple[tuple[str, str], ...]
Mask = Literal["", "phone", "identity", "name"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a ledger: where its value stands, what people call it, and what may be done with it.

    ``choices`` that change while the house runs are a function that returns them. ``shown`` columns stand in the list until
    somebody chooses others; all of them stand in the detail. ``masked`` ones are shown in part only, in lists, exports and
    prints alike. Figures are written in groups of three digits, but those not ``grouped``, such as years. Of a ``sealed`` one the
    row holds what may be shown; the whole value is sealed under this field for the row's ``uid`` (``services.crypto``).
    """

    key: str
    label: str
    kind: ColumnKind = "text"
    choices: Choices | Callable[[], Choices] = ()
    unit: str = ""
    grouped: bool = True
    shown: bool = True
    sorts: bool = False
    filters: bool = False
    masked: Mask = ""
    sealed: str = ""

    @property
    def offered(self) -> Choices:
        """Return the choices there are now, values and labels."""
        return self.choices() if callable(self.choices) else self.choices

    def word(self, value: object) -> str:
        """Return the label of a choice; the value itself where it is none of them."""
        return dict(self.offered).get(str(value), str(value))


@dataclass(frozen=True, slots=True)
class Intake:
    """How a spreadsheet comes into a ledger.

    ``fields`` are the columns of the template, ``required`` those that must be filled in a new row, ``example`` one row of it.
    ``check`` and ``save`` name functions ``"package.module:function"``, see ``geo.imports.sheets``: one judges a batch of rows,
    one writes it in the caller's transaction. ``known`` is the field that names an existing row, '' where none does;
    ``explained`` says of a field what its label does not. Fields ``lon`` and ``lat`` are a position in the system that was
    chosen with the file.
    """

    fields: tuple[Column, ...]
    required: tuple[str, ...]
    check: str
    save: str
    duty: str
    known: str = ""
    explained: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    example: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class BulkAct:
    """What may be done with chosen rows of a ledger by those who hold ``duty``.

    ``page`` names an address without arguments: it is opened with the ``id`` of every chosen row, says what it is about to do,
    and asks once more.
    """

    label: str
    icon: str
    page: str
    duty: str


@dataclass(frozen=True, slots=True)
class RowForm:
    """A form that may be begun from a row of a ledger, and what it begins with.

    ``values`` names, for a field of the form, where its value stands in the row, in the words of a column (``site_id``, ``pk``);
    nothing of it may be sealed or masked. The form of a matter is begun by applying for that.
    """

    form: str
    label: str
    values: Mapping[str, str]
    icon: str = "pencil"


@dataclass(frozen=True, slots=True)
class LedgerSpec:
    """A ledger: one model, its columns, and who may see which of its rows.

    A row is visible when its ``region`` lies under a path of the scope, or its ``organisation`` or its ``subject`` is listed
    there, and the ``duty`` is held; a ledger with none of the three is for those who hold the duty over the whole city. ``where``
    are constant conditions.

    ``name`` is the column that a row is called by, ``counter`` the Chinese counter of rows (家, 条). ``grams`` names the column
    of search pieces (see ``geo.names``); without it text is looked for in ``searched``, or by ``finds``, the name of a function
    ``"package.module:function"`` that returns the condition for a text. ``point`` is the geometry shown on maps, ``outline``
    another one drawn in the detail.

    ``reveal_duty`` lets people read sealed values in full, one by one; each reading is audited.

    ``row_duty`` names a column that holds the duty each row asks for besides.

    ``page`` is the page on which one row is kept, for those who hold ``page_duty``; ``public`` its page for everyone, ``adds``
    the page that adds one. ``tracked`` says that pghistory keeps the history of the model.

    ``forms`` is what may be filled in about one row.

    ``adds_as`` are the words of the button that adds one, ``acts`` what may be done with chosen rows.
    """

    key: str
    title: str
    model: str
    counter: str
    icon: str
    columns: tuple[Column, ...]
    duty: str
    name: str = "name"
    region: str = "region"
    organisation: str = ""
    subject: str = ""
    point: str = ""
    outline: str = ""
    grams: str = ""
    searched: tuple[str, ...] = ()
    order: str = "-pk"
    where: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    tracked: bool = False
    page: str = ""
    page_duty: str = ""
    public: str = ""
    adds: str = ""
    adds_as: str = "补录"
    finds: str = ""
    row_duty: str = ""
    reveal_duty: str = ""
    acts: tuple[BulkAct, ...] = ()
    forms: tuple[RowForm, ...] = ()
    intake: Intake | None = None

    def column(self, key: str) -> Column | None:
        """Return the column of that key, or ``None``."""
        return next((column for column in self.columns if column.key == key), None)
