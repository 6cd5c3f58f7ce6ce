"""The written form of Shanghai addresses: from a line of text to its parts, and the form equal addresses share. Pure."""

from geo.addresses.parsing.grammar import Gazetteer, Parts, parse, split_addresses
from geo.addresses.parsing.writing import clean, normal_form, number_of

__all__ = ["Gazetteer", "Parts", "clean", "normal_form", "number_of", "parse", "split_addresses"]
