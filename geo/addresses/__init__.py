"""Standard addresses and communities: suggest, geocode and reverse."""
