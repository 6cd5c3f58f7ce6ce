"""养老一张图: its menu, supply against demand, what an elder applied for, was told and is helped with."""
