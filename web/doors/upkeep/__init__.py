"""Places as they are kept: by staff, and by the institutions themselves."""
