"""The catalogue: what may be drawn, declared by its owners and served to maps."""
