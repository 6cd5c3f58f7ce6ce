"""Forms: a city's library of fields and certificates, what districts compose of it, and what people fill in."""
