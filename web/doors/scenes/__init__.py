"""二三维一体: the map in three dimensions, and its models at the desk."""
