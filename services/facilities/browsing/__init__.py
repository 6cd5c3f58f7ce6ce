"""All institutions of a group as a list: filters that are declared, counted and combined, and orders of one's own."""
