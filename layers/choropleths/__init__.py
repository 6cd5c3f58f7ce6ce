"""Figures of facts by region: what is shown in colours beside a ranking, what may be told of it, and what it comes to."""
