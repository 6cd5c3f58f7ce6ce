"""尚岛服务一张图, for visitors and for the desk."""
