"""The maps of supervisors: the board, heat, choropleths."""
