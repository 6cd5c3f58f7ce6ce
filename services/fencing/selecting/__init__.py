"""圈选: what lies in regions, fences, drawn shapes and in reach by some way of travel, listed and counted."""
