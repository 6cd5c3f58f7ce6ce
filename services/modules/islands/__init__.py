"""尚岛服务一张图: the island's map for visitors, in layers that they combine and staff arrange; the places are facilities."""
