"""互联网+监管: what the city's platform of supervision says of institutions in public, and what it is told of their ratings."""
