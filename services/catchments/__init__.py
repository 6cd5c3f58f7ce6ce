"""Which doors a kindergarten serves: rules as districts write them, read, matched, explained, held against each other. Pure."""
