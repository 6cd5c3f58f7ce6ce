"""What is inside which area, at once for many points, and as things move. Pure: metres of the city's plane, no Django."""
