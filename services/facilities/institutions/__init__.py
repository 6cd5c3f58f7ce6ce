"""Institutions for the elderly as platforms of districts read and report them."""
