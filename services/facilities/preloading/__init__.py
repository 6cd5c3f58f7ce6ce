"""Preloading (预加载): what people open first on the map is drawn before they ask, kept fresh, and managed by the city."""
