"""Decision tables as data: read, checked, decided and explained, without a database. Pure."""
