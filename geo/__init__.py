"""Places: the spatial core of the city. No users, no business."""
