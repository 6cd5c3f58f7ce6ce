"""The city's library: fields, dictionaries and certificates, kept by staff of the city."""
