"""一张图: the back end of the city's one map, which answers addresses and positions and is told fences and appointments."""
