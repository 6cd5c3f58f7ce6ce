"""The log centre at the desk."""
