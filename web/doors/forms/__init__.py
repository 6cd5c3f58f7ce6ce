"""Forms: filled in, composed, the library, and what was handed in."""
