"""The pages people meet, a package for each part of the house; the addresses of each stand in its ``routes``."""
