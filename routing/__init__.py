"""Travel: the road graph, searches on it and the circles they draw."""
