"""What maps of all pages draw: styles, tiles, pins, base maps, pictures on paper, and what is drawn beforehand."""
