"""What the apps declare in their ``forms.py``: dictionaries, fields, certificates, forms, and sources of prefilled values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from geo.declared import by_key, declarations
from geo.errors import BadInput, NotFound
from services.kernel.forms.composing import Library, compose, composition_of
from services.kernel.forms.prefilling import Source
from services.kernel.forms.spec import Certificate, Dictionary, Entry, Field, FormSpec


@dataclass(frozen=True, slots=True)
class Declared:
    """All that is declared, by key, in the order of the apps."""

    dictionaries: Mapping[str, Dictionary]
    fields: Mapping[str, Field]
    certificates: Mapping[str, Certificate]
    forms: Mapping[str, FormSpec]
    sources: Mapping[str, Source]


@cache
def declared() -> Declared:
    """Return what the apps declare. Raises ``ValueError`` for a key declared twice and for a form that does not compose."""
    made = Declared(
        dictionaries=by_key(declarations("forms", "DICTIONARIES", needed=False), "dictionary"),
        fields=by_key(declarations("forms", "FIELDS", needed=False), "field"),
        certificates=by_key(declarations("forms", "CERTIFICATES", needed=False), "certificate", key="code"),
        forms=by_key(declarations("forms", "FORMS", needed=False), "form"),
        sources=by_key(declarations("forms", "SOURCES", needed=False), "source"),
    )
    library = Library(made.fields, made.certificates, made.dictionaries)
    for spec in made.forms.values():
        for entry in spec.entries:
            composed = compose(
                composition_of(spec, entry.key), library, key=spec.key, title=spec.title, entry=entry.key
            )
            if composed.problems:
                raise ValueError(f"{spec.key} {entry.key}: {composed.problems[0]}")
    return made


def form_named(key: str) -> FormSpec:
    """Return a declared form. Raises ``NotFound``."""
    spec = declared().forms.get(key)
    if spec is None:
        raise NotFound("form_unknown", "没有这张表单，请从表单列表里选。")
    return spec


def entry_named(spec: FormSpec, key: str) -> Entry:
    """Return an entry of a form. Raises ``BadInput``."""
    entry = spec.entry(key)
    if entry is None:
        raise BadInput("entry_unknown", f"“{spec.title}”没有这个入口，请从列出的入口里选。")
    return entry
