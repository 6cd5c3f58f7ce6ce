"""Finding: the first door, the list of all institutions, one place, and what people keep and say of places."""
