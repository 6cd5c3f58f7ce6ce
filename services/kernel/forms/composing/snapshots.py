"""Forms and parts of libraries as JSON and back: what a published version holds for ever. Pure.

Fields at their defaults are left out, so a version written before a new field was thought of still reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

from services.kernel.expressions import All, Condition, condition_of
from services.kernel.expressions import Any as AnyOf
from services.kernel.forms.spec import (
    Certificate,
    Checks,
    CrossCheck,
    Dictionary,
    Field,
    Form,
    Item,
    Offer,
    Paper,
    Question,
    Section,
    Term,
)

Data = dict[str, Any]
T = TypeVar("T")


def snapshot_of(value: Any) -> Any:
    """Return a value of ``spec`` as JSON."""
    if isinstance(value, Condition | All | AnyOf):
        return value.data()
    if is_dataclass(value) and not isinstance(value, type):
        said = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: snapshot_of(one) for name, one in said.items() if not _is_empty(one)}
    if isinstance(value, tuple | list):
        return [snapshot_of(each) for each in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == "" or value == ()


def checks_from(data: Mapping[str, Any]) -> Checks:
    """Return checks from JSON."""
    return _plain(Checks, data)


def field_from(data: Mapping[str, Any]) -> Field:
    """Return a field from JSON."""
    return _plain(Field, data, checks=checks_from, columns=_each(field_from), changes=tuple)


def certificate_from(data: Mapping[str, Any]) -> Certificate:
    """Return a certificate from JSON."""
    return _plain(Certificate, data, types=tuple, matters=tuple, changes=tuple)


def dictionary_from(data: Mapping[str, Any]) -> Dictionary:
    """Return a dictionary from JSON."""
    terms = tuple(Term(one["code"], one["label"], bool(one.get("active", False))) for one in data.get("terms", ()))
    return Dictionary(data["key"], data["title"], terms)


def form_from(data: Mapping[str, Any]) -> Form:
    """Return the form of a snapshot."""
    return _plain(
        Form, data, sections=_each(_section_from), checks=_each(lambda one: _plain(CrossCheck, one)),
        dictionaries=_each(dictionary_from),
    )  # fmt: skip


def _section_from(data: Data) -> Section:
    return _plain(Section, data, items=_each(_item_from))


def _item_from(data: Data) -> Item:
    if "certificate" in data:
        return _plain(Paper, data, certificate=certificate_from, shown=condition_of, required=condition_of)
    return _plain(
        Question, data, field=field_from, shown=condition_of, required=condition_of, codes=tuple,
        offers=_each(lambda one: Offer(condition_of(one["when"]), tuple(one.get("codes", ())))),
    )  # fmt: skip


_FALSE: Final = {"changes": (), "types": (), "level": ""}
"""What a field that was left out as empty means where the default is not empty."""


def _plain(kind: type[T], data: Mapping[str, Any], **read: Callable[[Any], Any]) -> T:
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    given = {name: read[name](value) if name in read else value for name, value in data.items() if name in names}
    left_out = {name: empty for name, empty in _FALSE.items() if name in names and name not in given}
    return kind(**left_out, **given)


def _each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda data: tuple(read(one) for one in data)
