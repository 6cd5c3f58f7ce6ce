"""Heat: figures of facts over the whole extent, by cell and by region, of which only what may be told is kept."""
