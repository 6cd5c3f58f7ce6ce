"""The log centre: it collects what is written down elsewhere into one shape, keeps it, finds it, counts it and warns of it."""
