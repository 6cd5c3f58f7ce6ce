"""Upkeep of addresses by people: acts with history, what they leave for the next import, conflicts and checks."""
