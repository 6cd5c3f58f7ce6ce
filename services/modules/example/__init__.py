"""The smallest whole module, as a pattern for others and as the ground that the kernel is proven on: service points."""
