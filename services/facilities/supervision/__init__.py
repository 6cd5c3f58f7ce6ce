"""监管公示: what the platform of supervision says of the institutions of places; the last good answer is kept."""
