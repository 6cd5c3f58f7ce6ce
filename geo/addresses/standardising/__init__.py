"""The standardising service: lists of addresses in, and for every row its standard form, its place, and how far to trust both."""
