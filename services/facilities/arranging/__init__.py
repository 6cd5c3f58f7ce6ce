"""What the managers of a city show of the list of institutions: which filters and orders, in which words, values and order."""
