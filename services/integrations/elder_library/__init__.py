"""The city's thematic library of elder care: how many elders live where, as of a day."""
