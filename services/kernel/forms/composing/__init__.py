"""Composing a form from a library: what staff arranged as JSON, brought together with the library and judged. Pure."""

from services.kernel.forms.composing.compose import Composed, Library, Problem, compose, composition_of
from services.kernel.forms.composing.snapshots import form_from, snapshot_of

__all__ = ["Composed", "Library", "Problem", "compose", "composition_of", "form_from", "snapshot_of"]
