"""What the map shows below the data: water, green, buildings, land."""
