"""The written form of Shanghai addresses: from a line of text to its parts, and the form equal addresses share. Pure."""

from geo.addresses.parsing.grammar import parse, read
from geo.addresses.parsing.knowledge import NO_NAMES, Gazetteer, roads_of
from geo.addresses.parsing.parts import Alternative, Ignored, Parsed, Parts, Reading, Token
from geo.addresses.parsing.rendering import full_text, normal_form, short_text
from geo.addresses.parsing.vocabulary import note_text, reason_text
from geo.addresses.parsing.writing import clean, number_of

__all__ = [
    "NO_NAMES",
    "Alternative",
    "Gazetteer",
    "Ignored",
    "Parsed",
    "Parts",
    "Reading",
    "Token",
    "clean",
    "full_text",
    "normal_form",
    "note_text",
    "number_of",
    "parse",
    "read",
    "reason_text",
    "roads_of",
    "short_text",
]
