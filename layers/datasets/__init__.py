"""Datasets: layers that staff make, drawn or uploaded or copied, edited with undo and published in versions."""
