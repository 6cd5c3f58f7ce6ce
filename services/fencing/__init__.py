"""Fences at work: drawn by purpose and district, checked, approved by a second person, published from a moment, rolled back."""
